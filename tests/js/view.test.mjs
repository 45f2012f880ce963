// The pure half of view.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import {
  SceneModel,
  arrowHead,
  bytes,
  cellWords,
  clamp,
  colour,
  curve,
  heatCells,
  isThere,
  lines,
  live,
  mapPaths,
  mapWords,
  patched,
  shiftToShow,
  splitName,
} from "../../backprop_nb/views/view.mjs";
import { Model } from "../../backprop_nb/views/page.mjs";

test("clamp keeps a step inside the replay", () => {
  assert.deepEqual([clamp(-1, 0, 7), clamp(3, 0, 7), clamp(Infinity, 0, 7)], [0, 3, 7]);
});

test("a path is one cubic curve through its control points", () => {
  assert.equal(curve([[0, 0], [1, 2], [3, 4], [5, 6.25]]), "M0.0,0.0C1.0,2.0 3.0,4.0 5.0,6.3");
});

test("an arrow head ends where the path ends, and points away from where it came", () => {
  assert.equal(arrowHead([[0, 0], [10, 0]], 10), "10.0,0.0 0.0,5.5 0.0,-5.5");
  assert.equal(arrowHead([[10, 0], [0, 0]], 10), "0.0,0.0 10.0,-5.5 10.0,5.5");
  assert.ok(!arrowHead([[3, 3], [3, 3]]).includes("NaN"));
});

test("digits at the end of a name become its subscript", () => {
  assert.deepEqual(splitName("f12"), ["f", "12"]);
  assert.deepEqual(splitName("h_1"), ["h", "1"]);
  assert.deepEqual(splitName("loss"), ["loss", ""]);
  assert.deepEqual(splitName("42"), ["42", ""]);
  assert.deepEqual(splitName("a\nb1"), ["a\nb", "1"]);
});

test("a picture moves only as far as it must", () => {
  assert.equal(shiftToShow([10, 20], [0, 100], 5), 0);
  assert.equal(shiftToShow([-30, -20], [0, 100], 5), 35);
  assert.equal(shiftToShow([110, 120], [0, 100], 5), -25);
});

test("a badge is straight lines in its own square", () => {
  assert.equal(lines([[[0, 0], [1, 0.5]], [[0.5, 1], [0, 1]]], 16), "M0.0,0.0L16.0,8.0M8.0,16.0L0.0,16.0");
  assert.equal(lines([[[0, 0], [1, 1]]], 10, true), "M0.0,0.0L10.0,10.0Z");
});

test("a colour is a role of the palette or a heat on a family's scale", () => {
  assert.equal(colour("muted"), "var(--bpnb-muted)");
  assert.equal(
    colour(["adjoint", -0.254]),
    "color-mix(in srgb,var(--bpnb-adjoint-negative) 25%,var(--bpnb-adjoint-zero))",
  );
  assert.equal(colour(undefined), "none");
});

const large = { shape: "(4, 6)", map: { rows: 2, columns: 3, block: [2, 2], heat: [0, 1, 0, -0.5, 0, 1], long: ["0", "9", "0", "\u22124", "0", "9"] } };

test("a cell of a map says which entries it stands for, and the largest of them", () => {
  assert.equal(cellWords(large.map, 4), "rows 2 to 3, columns 2 to 3: largest in size 0");
  assert.equal(cellWords({ ...large.map, block: [1, 1] }, 3), "row 1, column 0: \u22124");
  assert.equal(cellWords({ ...large.map, rows: 1, block: [1, 2], long: [] }, 2), "columns 4 to 5");
});

test("a map says what it shows", () => {
  assert.equal(mapWords(large), "(4, 6), a cell is the entry largest in size of 2 \u00d7 2");
  assert.equal(mapWords({ ...large, map: { ...large.map, block: [1, 1] } }), "all entries of (4, 6)");
});

test("cells of one heat are one path, and every cell is drawn", () => {
  const paths = mapPaths(large.map);
  assert.deepEqual([...paths.keys()], [0, 1, -0.5]);
  assert.equal(paths.get(1), "M1 0h1v1h-1zM2 1h1v1h-1z");
});

test("the cells of a heat map stand row by row, a gap apart", () => {
  assert.deepEqual(heatCells({ box: [10, 20, 40, 30], columns: 2, gap: 1 }, 6), [
    { x: 10, y: 20, width: 19, height: 9 },
    { x: 30, y: 20, width: 19, height: 9 },
    { x: 10, y: 30, width: 19, height: 9 },
    { x: 30, y: 30, width: 19, height: 9 },
    { x: 10, y: 40, width: 19, height: 9 },
    { x: 30, y: 40, width: 19, height: 9 },
  ]);
});

test("a shape is there from its first step to its last", () => {
  const steps = [0, 1, 2, 3];
  const shown = (shape) => steps.filter((step) => isThere(shape, step));
  assert.deepEqual(shown({}), steps);
  assert.deepEqual(shown({ since: "2" }), [2, 3]); // as a page keeps it: in words
  assert.deepEqual(shown({ since: 1, until: 2 }), [1, 2]);
  assert.deepEqual(shown({ since: 0, until: 0 }), [0]);
});

test("a picture at a moment has other shapes where the moment says so, and is left as it was", () => {
  const shapes = [
    { kind: "line", key: "loss", points: [[0, 0], [1, 1], [2, 0]] },
    { kind: "rect", key: "bar", box: [0, 0, 5, 5], fill: "text" },
    { kind: "text", text: "loss" },
  ];
  const moment = patched({ width: 9, shapes }, { loss: { cut: 2 }, bar: { box: [0, 0, 8, 5] } });
  assert.deepEqual(moment.shapes[0].points, [[0, 0], [1, 1]]);
  assert.deepEqual(moment.shapes[1].box, [0, 0, 8, 5]);
  assert.equal(moment.shapes[1].fill, "text");
  assert.equal(moment.shapes[2], shapes[2]);
  assert.equal(moment.width, 9);
  assert.equal(shapes[0].points.length, 3);
});

/** A scene as Python sends it. */
const sent = (scene) => new DataView(new Uint8Array(deflateSync(JSON.stringify(scene))).buffer);
const until = async (done) => {
  while (!done()) await new Promise(setImmediate);
};

test("a view is given the scene as an object, and as it is where it is one", async () => {
  const model = new Model({ scene: sent({ frames: ["\u03c3"] }) });
  assert.deepEqual((await SceneModel.of(model)).get("scene"), { frames: ["\u03c3"] });
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

test("bytes come back from their text", () => {
  assert.deepEqual([...bytes("AAH+/w==")], [0, 1, 254, 255]);
});
