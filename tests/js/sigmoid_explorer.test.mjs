// The pure half of sigmoid_explorer.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { placeAt, placeOf, readings, superscript, zOf } from "../../backprop_nb/views/sigmoid/widget.mjs";

const scene = { low: -1, high: 1, perOne: 10, z: Array.from({ length: 21 }, (_, k) => String(k / 10 - 1)) };

test("a place and its z are two names of the same", () => {
  for (let place = 0; place <= 20; place++) assert.equal(placeOf(scene, zOf(scene, place)), place);
  assert.equal(zOf(scene, 13), 0.3); // as Python writes it, not 0.30000000000000004
});

test("beyond the ends is the end", () => {
  assert.deepEqual([placeOf(scene, -7), placeOf(scene, 7)], [0, 20]);
});

test("a pointer finds the nearest place of the plot", () => {
  assert.equal(placeAt(scene, [50, 200], 50), 0);
  assert.equal(placeAt(scene, [50, 200], 154), 10);
  assert.equal(placeAt(scene, [50, 200], 156), 11);
  assert.equal(placeAt(scene, [50, 200], 999), 20);
});

test("a power is written as one", () => {
  assert.equal(superscript(10), "¹⁰");
});

test("the readings are Python's texts, and say when a unit is saturated", () => {
  const places = { value: ["0.9"], slope: ["0.09"], share: ["36 %"], saturated: [false], powers: [["0.09", "0.0081"]] };
  const curve = { name: "σ", slopeName: "σ′", best: "¼", bestTexts: ["0.25", "0.0625"], places };
  assert.deepEqual(readings({ z: ["2.2"] }, curve, 0, 2), [
    ["z", "2.2"],
    ["σ(z)", "0.9"],
    ["σ′(z)", "0.09, 36 % of ¼"],
    ["σ′(z)²", "0.0081"],
    ["at best ¼²", "0.0625"],
  ]);
  places.saturated[0] = true;
  assert.equal(readings({ z: ["2.2"] }, curve, 0, 2)[2][1], "0.09, 36 % of ¼, saturated");
});
