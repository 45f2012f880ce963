// The model that a page has in place of a kernel.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { Model, mount } from "../../backprop_nb/views/page.mjs";

test("a change is told to those who listen for it, with its value", () => {
  const model = new Model({ step: 0 });
  const heard = [];
  model.on("change:step", (of, value) => heard.push([of === model, value]));
  model.on("change", () => heard.push("any"));
  model.on("change:selected", () => heard.push("not this one"));
  model.set("step", 3);
  assert.equal(model.get("step"), 3);
  assert.deepEqual(heard, [[true, 3], "any"]);
});

test("what stays the same is not told", () => {
  const model = new Model({ step: 3 });
  model.on("change:step", () => assert.fail());
  model.set("step", 3);
});

test("off lets go of one handler, of an event, or of everything", () => {
  const model = new Model({});
  const heard = [];
  const [one, two] = [() => heard.push(1), () => heard.push(2)];
  const listen = () => (model.off(), model.on("change:a", one), model.on("change:a", two), model.on("change:b", two));
  let value = 0;
  const heardNow = () => {
    heard.length = 0;
    model.set("a", ++value);
    model.set("b", ++value);
    return [...heard];
  };
  listen();
  assert.deepEqual(heardNow(), [1, 2, 2]);
  model.off("change:a", one);
  assert.deepEqual(heardNow(), [2, 2]);
  listen();
  model.off("change:a");
  assert.deepEqual(heardNow(), [2]);
  listen();
  model.off();
  assert.deepEqual(heardNow(), []);
});

test("a handler that lets go of itself does not keep the next one from hearing", () => {
  const model = new Model({});
  const heard = [];
  const once = () => (model.off("change:a", once), heard.push("once"));
  model.on("change:a", once);
  model.on("change:a", () => heard.push("always"));
  model.set("a", 1);
  model.set("a", 2);
  assert.deepEqual(heard, ["once", "always", "always"]);
});

test("there is nobody to save to or to send to, and that is no error", () => {
  const model = new Model({});
  model.save_changes();
  model.send({ kind: "custom" });
});

test("mount gives the view the state that stands in the page", async () => {
  const elements = { "bpnb-state": { textContent: deflateSync('{"step": 2}').toString("base64") }, "bpnb-view": "the place" };
  const calls = [];
  const widget = {
    initialize: ({ model }) => calls.push(["initialize", model.get("step")]),
    render: ({ model, el }) => calls.push(["render", model.get("step"), el]),
  };
  await mount(widget, { getElementById: (id) => elements[id] });
  assert.deepEqual(calls, [["initialize", 2], ["render", 2, "the place"]]);
});
