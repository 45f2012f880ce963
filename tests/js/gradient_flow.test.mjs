// The pure half of gradient_flow.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  alongEdges,
  chosenBy,
  edgeAt,
  keyOf,
  knownSince,
  nameOf,
  nearest,
  neighbourOf,
  parsed,
  placeOfScale,
  scaleAt,
  sliderText,
} from "../../backprop_nb/views/flow/widget.mjs";

test("a name has parts, and the parts have the name", () => {
  assert.deepEqual(parsed("A_1[0, 12]"), { symbol: "A", i: 1, j: 0, k: 12 });
  assert.deepEqual(parsed("b_10[3]"), { symbol: "b", i: 10, j: 3, k: null });
  for (const name of ["A_1[0, 12]", "b_10[3]"]) assert.equal(nameOf(parsed(name)), name);
});

test("a name has a key, and a click on a key chooses the name", () => {
  assert.equal(keyOf("A_1[0, 12]"), "A:1:0:12");
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

test("the nearest place is found by its epsilon or by its x", () => {
  const places = [[-1, 100], [0, 110], [1, 120]];
  assert.equal(nearest(places, 0.4), 1);
  assert.equal(nearest(places, 99), 2);
  assert.equal(nearest(places, 101, 1), 0);
});

test("something of a layer is known from its step on", () => {
  assert.deepEqual([1, 2, 3].map(knownSince.forward), [1, 2, 3]);
  assert.equal(knownSince.loss(3), 4);
  assert.deepEqual([3, 2, 1].map((i) => knownSince.backward(i, 3)), [5, 6, 7]);
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
  assert.equal(alongEdges(edges), "M0,0L10,0M0,0L0,10");
});
