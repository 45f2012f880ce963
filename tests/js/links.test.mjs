// The pure half of links.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { choose, cutAtNames, linkOf, linkTo, nextBox, nodesOf } from "../../backprop_nb/views/explorer/links.mjs";

test("a link knows its nodes, each once", () => {
  assert.deepEqual(nodesOf("v3 a3 v12"), [3, 12]);
  assert.deepEqual(nodesOf("m4.1 v4"), [4]);
  assert.deepEqual(nodesOf(linkTo([2, 5])), [2, 5]);
});

test("a factor is linked to every name in it", () => {
  assert.equal(linkOf([[0, 2, "a3"], [5, 6, "v1"], [9, 11, "a3"]]), "a3 v1");
  assert.equal(linkOf([]), "");
});

test("a text is cut at its names and nothing is lost", () => {
  assert.deepEqual(cutAtNames("d_z = 2 * d_f", [[0, 3, "a1"], [10, 13, "a2"]]), [
    ["d_z", "a1"],
    [" = 2 * ", null],
    ["d_f", "a2"],
  ]);
  assert.deepEqual(cutAtNames("1 - f", [[4, 5, "v7"]]), [["1 - ", null], ["f", "v7"]]);
  assert.deepEqual(cutAtNames("2", []), [["2", null]]);
});

test("names beyond the first 65 536 characters are one character each", () => {
  assert.deepEqual(cutAtNames("\u{20000} * x", [[0, 1, "v0"], [4, 5, "v1"]]), [["\u{20000}", "v0"], [" * ", null], ["x", "v1"]]);
});

test("an expression in a loop means the current node, and then one after the other", () => {
  assert.equal(choose([3, 8, 13], null, 8), 8);
  assert.equal(choose([3, 8, 13], null, 4), 3);
  assert.equal(choose([3, 8, 13], 8, 8), 13);
  assert.equal(choose([3, 8, 13], 13, 8), 3);
});

// Two lines of text: three names, then two.
const boxes = [[0, 0, 20, 18], [30, 2, 50, 18], [90, 0, 99, 18], [0, 20, 20, 38], [70, 20, 99, 38]];

test("arrows go along a line and on to the next, and stop at both ends", () => {
  assert.equal(nextBox(boxes, 2, "ArrowRight"), 3);
  assert.equal(nextBox(boxes, 3, "ArrowLeft"), 2);
  assert.equal(nextBox(boxes, 0, "ArrowLeft"), null);
  assert.equal(nextBox(boxes, 4, "ArrowRight"), null);
});

test("up and down lead to the nearest name of the next line", () => {
  assert.equal(nextBox(boxes, 0, "ArrowDown"), 3);
  assert.equal(nextBox(boxes, 2, "ArrowDown"), 4);
  assert.equal(nextBox(boxes, 4, "ArrowUp"), 2);
  assert.equal(nextBox(boxes, 1, "ArrowUp"), null);
});
