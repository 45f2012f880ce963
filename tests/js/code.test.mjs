// The learner's code cut into parts, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cutSource } from "../../backprop_nb/views/explorer/code.mjs";

const cut = (lines, places, comments = []) => cutSource({ lines, comments }, places);

test("source is cut into pieces that know the innermost node", () => {
  const lines = ["z = A @ x + b"];
  const places = [
    { node: 7, start: [0, 4], end: [0, 13] },
    { node: 5, start: [0, 4], end: [0, 9] },
  ];
  assert.deepEqual(cut(lines, places), [
    [
      { text: "z = ", inner: [], nodes: [] },
      { text: "A @ x", inner: [5], nodes: [5, 7] },
      { text: " + b", inner: [7], nodes: [7] },
    ],
  ]);
});

test("an expression over several lines is marked on each of them, but not before its lines begin", () => {
  const [first, second] = cut(["a = f(", "  x)"], [{ node: 1, start: [0, 4], end: [1, 4] }]);
  assert.deepEqual(first.map((piece) => [piece.text, piece.inner]), [["a = ", []], ["f(", [1]]]);
  assert.deepEqual(second.map((piece) => [piece.text, piece.inner]), [["  ", []], ["x)", [1]]]);
});

test("of nested calls over several lines the innermost is known on each line", () => {
  const lines = ["f(", "  g(", "    x,", "  )", ")"];
  const places = [
    { node: 1, start: [1, 2], end: [3, 3] },
    { node: 2, start: [0, 0], end: [4, 1] },
  ];
  const inner = cut(lines, places).map((line) => line.at(-1).inner);
  assert.deepEqual(inner, [[2], [1], [1], [1], [2]]);
});

test("a line that is executed several times knows all its nodes", () => {
  const places = [3, 8].map((node) => ({ node, start: [0, 4], end: [0, 9] }));
  assert.deepEqual(cut(["z = A @ x"], places)[0][1], { text: "A @ x", inner: [3, 8], nodes: [3, 8] });
});

test("columns count characters, not halves of them", () => {
  const line = 'say("\u{1f600}"); z = x * x';
  const start = Array.from(line).indexOf("z") + 4;
  const [row] = cut([line], [{ node: 1, start: [0, start], end: [0, start + 5] }]);
  assert.deepEqual(row.at(-1), { text: "x * x", inner: [1], nodes: [1] });
});

test("no text of a line is ever lost or doubled", () => {
  const line = "return np.sum((y - f) ** 2)";
  const places = [[7, 27], [14, 26], [15, 20], [0, 99]].map(([from, to], node) => ({ node, start: [0, from], end: [0, to] }));
  assert.equal(cut([line], places)[0].map((piece) => piece.text).join(""), line);
});

test("a comment belongs to no expression, nor does a line of comment inside of one", () => {
  const lines = ["z = f(  # outer", "  # all of a line", "  x  # inner", ")"];
  const places = [
    { node: 2, start: [0, 4], end: [3, 1] },
    { node: 1, start: [2, 2], end: [2, 3] },
  ];
  const marked = cut(lines, places, [[0, 8], [1, 2], [2, 5]]).map((line) => line.filter(({ nodes }) => nodes.includes(2)).map(({ text }) => text));
  assert.deepEqual(marked, [["f("], [], ["x"], [")"]]);
  assert.equal(cut(lines, places, [[0, 8], [1, 2], [2, 5]]).map((line) => line.map(({ text }) => text).join("")).join("\n"), lines.join("\n"));
});
