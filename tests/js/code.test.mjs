// The learner's code cut into pieces, and equations into their sides, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pieces, sides } from "../../backprop_nb/views/explorer/code.mjs";

test("source is cut into pieces that know the innermost node", () => {
  const lines = ["z = A @ x + b"];
  const places = [
    { node: 7, start: [0, 4], end: [0, 13] },
    { node: 5, start: [0, 4], end: [0, 9] },
  ];
  assert.deepEqual(pieces(lines, places), [
    [
      { text: "z = ", inner: [], nodes: [] },
      { text: "A @ x", inner: [5], nodes: [5, 7] },
      { text: " + b", inner: [7], nodes: [7] },
    ],
  ]);
});

test("an expression over several lines is marked on each of them, but not before its lines begin", () => {
  const [first, second] = pieces(["a = f(", "  x)"], [{ node: 1, start: [0, 4], end: [1, 4] }]);
  assert.deepEqual(first.map((piece) => [piece.text, piece.inner]), [["a = ", []], ["f(", [1]]]);
  assert.deepEqual(second.map((piece) => [piece.text, piece.inner]), [["  ", []], ["x)", [1]]]);
});

test("of nested calls over several lines the innermost is known on each line", () => {
  const lines = ["f(", "  g(", "    x,", "  )", ")"];
  const places = [
    { node: 1, start: [1, 2], end: [3, 3] },
    { node: 2, start: [0, 0], end: [4, 1] },
  ];
  const inner = pieces(lines, places).map((line) => line.at(-1).inner);
  assert.deepEqual(inner, [[2], [1], [1], [1], [2]]);
});

test("a line that is executed several times knows all its nodes", () => {
  const places = [3, 8].map((node) => ({ node, start: [0, 4], end: [0, 9] }));
  assert.deepEqual(pieces(["z = A @ x"], places)[0][1], { text: "A @ x", inner: [3, 8], nodes: [3, 8] });
});

test("columns count characters, not halves of them", () => {
  const line = 'say("\u{1f600}"); z = x * x';
  const start = Array.from(line).indexOf("z") + 4;
  const [row] = pieces([line], [{ node: 1, start: [0, start], end: [0, start + 5] }]);
  assert.deepEqual(row.at(-1), { text: "x * x", inner: [1], nodes: [1] });
});

test("no text of a line is ever lost or doubled", () => {
  const line = "return np.sum((y - f) ** 2)";
  const places = [[7, 27], [14, 26], [15, 20], [0, 99]].map(([from, to], node) => ({ node, start: [0, from], end: [0, to] }));
  assert.equal(pieces([line], places)[0].map((piece) => piece.text).join(""), line);
});

test("a comment belongs to no expression, nor does a line of comment inside of one", () => {
  const lines = ["z = f(  # outer", "  # all of a line", "  x  # inner", ")"];
  const places = [
    { node: 2, start: [0, 4], end: [3, 1] },
    { node: 1, start: [2, 2], end: [2, 3] },
  ];
  const marked = pieces(lines, places, [[0, 8], [1, 2], [2, 5]]).map((line) => line.filter(({ nodes }) => nodes.includes(2)).map(({ text }) => text));
  assert.deepEqual(marked, [["f("], [], ["x"], [")"]]);
  assert.equal(pieces(lines, places, [[0, 8], [1, 2], [2, 5]]).map((line) => line.map(({ text }) => text).join("")).join("\n"), lines.join("\n"));
});

const equation = (...parts) => ["math", "", {}, [["mrow", "", {}, parts]]];
const letter = (text) => ["mi", text, { "data-link": `v${text}` }, []];
const space = ["mspace", "", { width: "0.278em" }, []];
const inside = ([, , , [[, , , parts]]]) => parts.map(([tag, text]) => text || tag);

test("an equation has a left side, a sign and a right side", () => {
  const found = sides(equation(letter("a"), ["mo", "=", {}, []], letter("b"), ["mo", "=", {}, []], letter("c")));
  assert.deepEqual(found.map(inside), [["a"], ["="], ["b", "=", "c"]]);
});

test("what is added has its sign between spaces, which the sides leave out at their ends", () => {
  const found = sides(equation(letter("a"), space, ["mtext", "+=", {}, []], space, letter("b"), space, letter("c")));
  assert.deepEqual(found.map(inside), [["a"], ["+="], ["b", "mspace", "c"]]);
});
