// The pure half of views/flow/widget.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  chosenBy,
  edgeAt,
  keyOf,
  marksAt,
  nameOf,
  neighbourOf,
  placeOfScale,
  scaleAt,
  sliderText,
  splitAtSymbols,
} from "../../backprop_nb/views/flow/widget.mjs";

test("a name has a key, and the key has the name", () => {
  assert.equal(keyOf("A_1[0, 12]"), "A:1:0:12");
  assert.equal(keyOf("b_10[3]"), "b:10:3");
  for (const name of ["A_1[0, 12]", "b_10[3]"]) assert.equal(nameOf(keyOf(name)), name);
});

test("the symbols of a text are told from its words, numbers and brackets", () => {
  const symbols = (text) => splitAtSymbols(text).filter((_, k) => k % 2);
  assert.deepEqual(symbols("∂L/∂A₀[0, 0] = Σ δ₁[0] · x[0] = "), ["A", "δ", "x"]);
  assert.deepEqual(symbols("softmax′(z)"), ["z"]);
  assert.equal(splitAtSymbols("b₁₂[3]").join(""), "b₁₂[3]");
});

test("a click on a shape chooses a weight or a bias", () => {
  for (const name of ["A_1[0, 12]", "b_10[3]"]) assert.equal(chosenBy(keyOf(name)), name);
  assert.equal(chosenBy("f:2:1"), "b_1[1]");
  assert.equal(chosenBy("delta:2:1"), "b_1[1]");
  for (const key of ["f:0:1", "way:forward", "loss", undefined]) assert.equal(chosenBy(key), null);
});

const NAMES = ["A_0[0, 0]", "A_0[0, 1]", "b_0[0]", "A_1[0, 0]", "b_1[0]"];

test("arrows walk through a layer's weights and biases, and to its neighbours", () => {
  assert.equal(neighbourOf(NAMES, "A_0[0, 0]", "ArrowDown"), "A_0[0, 1]");
  assert.equal(neighbourOf(NAMES, "A_0[0, 0]", "ArrowUp"), "b_0[0]");
  assert.equal(neighbourOf(NAMES, "A_0[0, 0]", "ArrowRight"), "A_1[0, 0]");
  assert.equal(neighbourOf(NAMES, "b_0[0]", "ArrowRight"), "b_1[0]");
  assert.equal(neighbourOf(NAMES, "A_0[0, 1]", "ArrowRight"), "b_1[0]"); // A_1 has no such entry
  assert.equal(neighbourOf(NAMES, "A_1[0, 0]", "ArrowRight"), "A_1[0, 0]");
  assert.equal(neighbourOf(NAMES, "A_0[0, 1]", "ArrowLeft"), "A_0[0, 1]");
});

test("the marks of a curve are lines with dots at their ends", () => {
  assert.deepEqual(marksAt([100.2, 30, 50], 80), {
    "mark:tangent-line": { points: [[104.2, 80], [104.2, 50]] },
    "mark:line": { points: [[100.2, 80], [100.2, 30]] },
    "mark:tangent": { centre: [104.2, 50] },
    "mark:dot": { centre: [100.2, 30] },
  });
});

test("the slider of the scale is logarithmic and goes to and fro", () => {
  assert.deepEqual([-10, 0, 3, 10].map(scaleAt), [0.1, 1, 2, 10]);
  for (let place = -10; place <= 10; place++) assert.equal(placeOfScale(scaleAt(place)), place);
  assert.deepEqual([0, 1e9].map(placeOfScale), [-10, 10]);
});

test("a slider's number is short and has a real minus sign", () => {
  assert.deepEqual([0.30000000000000004, -1.5, 2, 0].map(sliderText), ["0.3", "\u22121.5", "2", "0"]);
});

test("the edge under the pointer is the nearest one, if it is near", () => {
  const edges = [
    { key: "flat", points: [[0, 0], [10, 0]] },
    { key: "steep", points: [[0, 0], [0, 10]] },
  ];
  assert.equal(edgeAt(edges, [5, 1], 3), "flat");
  assert.equal(edgeAt(edges, [1, 5], 3), "steep");
  assert.equal(edgeAt(edges, [12, 0], 3), "flat");
  assert.equal(edgeAt(edges, [14, 0], 3), null);
  assert.equal(edgeAt([], [0, 0], 3), null);
});
