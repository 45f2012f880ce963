// Names as they are set.

import assert from "node:assert/strict";
import { test } from "node:test";

import { filled, splitName } from "../../backprop_nb/views/elements.mjs";

test("a formula is its shape with the texts in the gaps, each in its own", () => {
  const scene = { shapes: [['["math"]'], ['["mi","x",{"data-link":"v', 1, '"},[["mn","', 0, '"]]]']] };
  assert.deepEqual(filled(scene, [0]), ["math"]);
  assert.deepEqual(filled(scene, [1, "2.5", "12"]), ["mi", "x", { "data-link": "v12" }, [["mn", "2.5"]]]);
});

test("digits at the end of a name become its subscript", () => {
  assert.deepEqual(splitName("f12"), ["f", "12"]);
  assert.deepEqual(splitName("h_1"), ["h", "1"]);
  assert.deepEqual(splitName("loss"), ["loss", ""]);
  assert.deepEqual(splitName("x_"), ["x_", ""]); // another one than x
  assert.deepEqual(splitName("42"), ["42", ""]);
  assert.deepEqual(splitName("a\nb1"), ["a\nb", "1"]);
});
