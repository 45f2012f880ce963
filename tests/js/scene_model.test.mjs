// A scene is unpacked, and what changed with it is told in order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { Model } from "../../backprop_nb/views/page.mjs";
import { SceneModel, live, bytes } from "../../backprop_nb/views/scene_model.mjs";

/** A scene as Python sends it. */
const sent = (scene) => new DataView(new Uint8Array(deflateSync(JSON.stringify(scene))).buffer);

/** A scene as Python sends it to a page that has come from the same machine. */
const sentNear = (scene) => new DataView(new TextEncoder().encode(JSON.stringify(scene).padEnd(2 ** 16)).buffer);

const until = async (done) => {
  while (!done()) await new Promise(setImmediate);
};

test("a view is given the scene as an object, and as it is where it is one", async () => {
  for (const as of [sent, sentNear]) {
    const model = new Model({ scene: as({ frames: ["\u03c3"] }) });
    assert.deepEqual((await SceneModel.of(model)).get("scene"), { frames: ["\u03c3"] });
  }
  const scene = { frames: [] };
  assert.equal((await SceneModel.of(new Model({ scene }))).get("scene"), scene);
});

test("a scene is unpacked once for all views of a model", async () => {
  const model = new Model({ scene: sent({ frames: [] }) });
  const [one, two] = await Promise.all([SceneModel.of(model), SceneModel.of(model)]);
  assert.equal(one.get("scene"), two.get("scene"));
});

test("what changes with a scene is told when the scene is there, each once and in order", async () => {
  const model = new Model({ scene: sent({ id: 0 }), step: 0, playing: false });
  const of = await SceneModel.of(model);
  const heard = [];
  for (const key of ["step", "scene", "playing"]) of.on(`change:${key}`, () => heard.push([key, of.get("scene").id, of.get("step")]));
  model.set("step", 1); // nothing to wait for
  assert.deepEqual(heard.splice(0), [["step", 0, 1]]);
  model.set("scene", sent({ id: 1 }));
  model.set("step", 2);
  model.set("step", 3);
  model.set("playing", true);
  assert.deepEqual([heard, of.get("scene").id, of.settled], [[], 0, false]);
  await until(() => of.settled);
  assert.deepEqual(heard, [["scene", 1, 3], ["step", 1, 3], ["playing", 1, 3]]);
});

test("of scenes in quick succession the last one stays, and no old one follows a new one", async () => {
  const model = new Model({ scene: sent({ id: 0 }) });
  const of = await SceneModel.of(model);
  const seen = [];
  of.on("change:scene", () => seen.push(of.get("scene").id));
  // The larger one takes longer to unpack.
  model.set("scene", sent({ id: 1, long: "x".repeat(10 ** 7) }));
  model.set("scene", sent({ id: 2 }));
  await until(() => of.settled);
  assert.equal(seen.at(-1), 2);
  model.set("scene", sent({ id: 3 }));
  await until(() => of.settled);
  assert.deepEqual(seen, [...seen].sort());
  assert.deepEqual([seen.at(-1), of.get("scene").id], [3, 3]);
});

test("a view that has gone hears nothing more, not even what it waited for", async () => {
  const model = new Model({ scene: sent({ id: 0 }), step: 0 });
  const of = await SceneModel.of(model);
  const fails = () => assert.fail();
  of.on("change:scene", fails);
  of.on("change:step", fails);
  model.set("scene", sent({ id: 1 }));
  of.off("change:scene", fails);
  of.off("change:step", fails);
  await until(() => of.settled);
  model.set("step", 1);
});

test("a message is heard at once, with what it says", async () => {
  const model = new Model({ scene: sent({ id: 0 }) });
  const of = await SceneModel.of(model);
  const heard = [];
  of.on("msg:custom", (...args) => heard.push(args.at(-1)));
  model.set("scene", sent({ id: 1 }));
  model.trigger("msg:custom", { frames: 2 });
  assert.deepEqual(heard, [{ frames: 2 }]);
});

test("a widget begins, and a view is made, when the scene is there", async () => {
  const model = new Model({ scene: sent({ id: 7 }) });
  const calls = [];
  class Kind {
    constructor(of, el) {
      calls.push(["made", of.get("scene").id, el]);
    }
    dispose() {
      calls.push(["gone"]);
    }
  }
  const widget = live(Kind, ({ model: of }) => calls.push(["begins", of.get("scene").id]));
  await widget.initialize({ model });
  const dispose = await widget.render({ model, el: "the place" });
  dispose();
  assert.deepEqual(calls, [["begins", 7], ["made", 7, "the place"], ["gone"]]);
});

test("a model that was restored without its kernel is offline, and plays no more", async () => {
  const begin = async (comm_live, more = {}) => {
    const model = new Model({ scene: sent({ id: 0 }), playing: true, _identity: "a1", ...more });
    model.widget_manager = { get_model: async (id) => (id === "a1" ? { comm_live } : assert.fail()) };
    Object.defineProperty(model, "offline", { value: undefined });
    let made = null;
    await live(null, (context) => (made = context.model)).initialize({ model });
    return [made.dead, made.offline, made.get("playing")];
  };
  assert.deepEqual(await begin(false), [true, true, false]);
  assert.deepEqual(await begin(true), [false, false, true]);
  assert.deepEqual(await begin(undefined), [false, false, true]); // a host of another kind
  assert.deepEqual(await begin(false, { _identity: "" }), [false, false, true]); // just opened
});

test("a page says whether it has come from this machine, with the first change", async () => {
  const said = async (hostname) => {
    globalThis.location = { hostname };
    const model = new Model({ scene: sent({ id: 0 }) });
    model.save_changes = () => assert.fail();
    await live(null).initialize({ model });
    delete globalThis.location;
    return model.get("_near");
  };
  assert.deepEqual([await said("localhost"), await said("127.0.0.1"), await said("[::1]")], [true, true, true]);
  assert.equal(await said("hub.example.org"), false);
});

test("bytes come back from their text", () => {
  assert.deepEqual([...bytes("AAH+/w==")], [0, 1, 254, 255]);
});
