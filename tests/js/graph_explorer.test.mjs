// The pure half of graph_explorer.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  arrivals,
  handedOn,
  lineage,
  marksAt,
  movingEdges,
  nodeWords,
  pieces,
  stateAt,
} from "../../backprop_nb/views/widgets/graph_explorer.mjs";

const number = (text) => ({ long: [text], short: [text], shape: "a number" });
const node = (name, kind, parents, x, y, text = "") => ({
  name,
  kind,
  text,
  parents,
  box: [x, y, 100, 80],
  value: number(`value of ${name}`),
  adjoint: number(`adjoint of ${name}`),
});

// x -> u, u -> v, (u, v) -> f: u is used twice.
const scene = {
  output: 3,
  nodes: [
    node("x", "input", [], 0, 0),
    node("u", "operation", [0], 150, 0, "x ** 2"),
    node("v", "operation", [1], 300, 100, "np.exp(u)"),
    node("f", "operation", [1, 2], 450, 0, "u + v"),
  ],
  edges: [
    { tail: 0, head: 1 },
    { tail: 1, head: 2 },
    { tail: 1, head: 3 },
    { tail: 2, head: 3 },
  ],
  frames: [
    { phase: "start", node: null, gifts: [] },
    { phase: "forward", node: 1, gifts: [] },
    { phase: "forward", node: 2, gifts: [] },
    { phase: "forward", node: 3, gifts: [] },
    { phase: "seed", node: 3, gifts: [] },
    {
      phase: "backward",
      node: 3,
      gifts: [
        { parent: 1, edge: 2, arrival: 1, arrivals: 2, sum: number("1") },
        { parent: 2, edge: 3, arrival: 1, arrivals: 1, sum: number("1") },
      ],
    },
    { phase: "backward", node: 2, gifts: [{ parent: 1, edge: 1, arrival: 2, arrivals: 2, sum: number("3") }] },
    { phase: "backward", node: 1, gifts: [{ parent: 0, edge: 0, arrival: 1, arrivals: 1, sum: number("6") }] },
  ],
};

test("at the start only the inputs are known", () => {
  const state = stateAt(scene, 0);
  assert.deepEqual([...state.values], [0]);
  assert.equal(state.adjoints.size, 0);
  assert.equal(state.moving.size, 0);
});

test("each step forward makes one more value known", () => {
  assert.deepEqual([...stateAt(scene, 2).values].sort(), [0, 1, 2]);
});

test("the seed makes the adjoint of the output known", () => {
  assert.equal(stateAt(scene, 3).adjoints.size, 0);
  assert.equal(stateAt(scene, 4).adjoints.get(3).value.long[0], "adjoint of f");
});

test("contributions to a node used twice add up one after the other", () => {
  const first = stateAt(scene, 5).adjoints.get(1);
  assert.deepEqual([first.value.long[0], first.arrival, first.arrivals], ["1", 1, 2]);
  const second = stateAt(scene, 6).adjoints.get(1);
  assert.deepEqual([second.value.long[0], second.arrival, second.arrivals], ["3", 2, 2]);
  assert.deepEqual(arrivals(scene, 1, 6).map((gift) => gift.from), [3, 2]);
});

test("stepping back takes back what was known", () => {
  stateAt(scene, 7);
  assert.equal(stateAt(scene, 4).adjoints.has(1), false);
});

test("forward the edges into a node move, backward the edges of its gifts", () => {
  assert.deepEqual([...movingEdges(scene, scene.frames[3])], [[2, "forward"], [3, "forward"]]);
  assert.deepEqual([...movingEdges(scene, scene.frames[5])], [[2, "backward"], [3, "backward"]]);
});

test("an edge stays marked once its gradient has passed", () => {
  assert.deepEqual([...stateAt(scene, 6).spent].sort(), [1, 2, 3]);
});

test("a node hands nothing on before its own step", () => {
  assert.equal(handedOn(scene, 3, 4).length, 0);
  assert.equal(handedOn(scene, 3, 5).length, 2);
  assert.equal(handedOn(scene, 0, 7).length, 0);
});

test("lineage holds ancestors and descendants and nobody else", () => {
  assert.deepEqual([...lineage(scene, 2)].sort(), [0, 1, 2, 3]);
  const aside = { nodes: [{ parents: [] }, { parents: [] }, { parents: [0] }] };
  assert.deepEqual([...lineage(aside, 0)].sort(), [0, 2]);
});

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

test("a screen reader hears what a sighted user sees", () => {
  const say = (index, step) => nodeWords(scene, index, stateAt(scene, step));
  assert.equal(say(0, 0), "x, input: value value of x");
  assert.equal(say(1, 0), "u = x ** 2: not computed yet");
  assert.equal(say(1, 5), "u = x ** 2: value value of u, adjoint 1, 1 of 2 contributions");
  assert.equal(say(1, 6), "u = x ** 2: value value of u, adjoint 3");
});

const marked = { ...scene, nodes: scene.nodes.map((one, index) => (index === 1 ? { ...one, marks: [{ text: "kink: x is 0", look: 0 }] } : one)) };

test("a mark shows as soon as its value is known, and is spoken with its card", () => {
  assert.deepEqual(marksAt(marked, 1, stateAt(marked, 0)), []);
  assert.deepEqual(marksAt(marked, 1, stateAt(marked, 1)).map((mark) => mark.text), ["kink: x is 0"]);
  assert.deepEqual(marksAt(marked, 2, stateAt(marked, 7)), []);
  assert.equal(nodeWords(marked, 1, stateAt(marked, 0)), "u = x ** 2: not computed yet");
  assert.equal(nodeWords(marked, 1, stateAt(marked, 1)), "u = x ** 2: value value of u; kink: x is 0");
});
