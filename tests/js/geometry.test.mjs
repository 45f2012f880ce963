// Numbers and paths.

import assert from "node:assert/strict";
import { test } from "node:test";

import { clamp, curve, arrowHead, lines, nearest, runs, shiftToShow } from "../../backprop_nb/views/geometry.mjs";

test("clamp keeps a step inside the replay", () => {
  assert.deepEqual([clamp(-1, 0, 7), clamp(3, 0, 7), clamp(Infinity, 0, 7)], [0, 3, 7]);
});

test("the nearest number is found by its index, the first one of two", () => {
  assert.equal(nearest([0.001, 0.1, 1], 0.3), 1);
  assert.equal(nearest([-1, 0, 1], 99), 2);
  assert.equal(nearest([0, 2], 1), 0);
});

test("a list is cut into runs, of which the last may be shorter", () => {
  assert.deepEqual(runs([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(runs([], 2), []);
});

test("a path is one cubic curve through its control points", () => {
  assert.equal(curve([[0, 0], [1, 2], [3, 4], [5, 6.25]]), "M0.0,0.0C1.0,2.0 3.0,4.0 5.0,6.3");
});

test("an arrow head ends where the path ends, and points away from where it came", () => {
  assert.equal(arrowHead([[0, 0], [10, 0]], 10), "10.0,0.0 0.0,5.5 0.0,-5.5");
  assert.equal(arrowHead([[10, 0], [0, 0]], 10), "0.0,0.0 10.0,-5.5 10.0,5.5");
  assert.ok(!arrowHead([[3, 3], [3, 3]]).includes("NaN"));
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
