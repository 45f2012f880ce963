// What is known of a graph at a step, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  arrivals,
  cardWords,
  fillIn,
  frameWords,
  handedOn,
  lineage,
  marksAt,
  movingEdges,
  nodeWords,
  stateAt,
  touchedNodes,
} from "../../backprop_nb/views/explorer/steps.mjs";

const tensors = [];
const number = (text) => tensors.push({ words: text, shape: "a number" }) - 1;
const node = (name, kind, parents, text = "") => ({
  name,
  kind,
  text,
  parents,
  value: number(`value of ${name}`),
  adjoint: number(`adjoint of ${name}`),
  marks: [],
});
const shown = (one) => tensors[one.total].words;

// x -> u, u -> v, (u, v) -> f: u is used twice.
const scene = {
  output: 3,
  tensors,
  groups: [{ name: "layer 1", size: 3 }],
  nodes: [
    node("x", "input", []),
    node("u", "operation", [0], "x ** 2"),
    node("v", "operation", [1], "np.exp(u)"),
    node("f", "operation", [1, 2], "u + v"),
  ],
  edges: [
    { tail: 0, head: 1 },
    { tail: 1, head: 2 },
    { tail: 1, head: 3 },
    { tail: 2, head: 3 },
  ],
  frames: [
    { phase: "start", node: null, contributions: [] },
    { phase: "forward", node: 1, contributions: [] },
    { phase: "forward", node: 2, contributions: [] },
    { phase: "forward", node: 3, contributions: [] },
    { phase: "seed", node: 3, contributions: [] },
    {
      phase: "backward",
      node: 3,
      contributions: [
        { parent: 1, edge: 2, arrival: 1, arrivals: 2, total: number("1") },
        { parent: 2, edge: 3, arrival: 1, arrivals: 1, total: number("1") },
      ],
    },
    { phase: "backward", node: 2, contributions: [{ parent: 1, edge: 1, arrival: 2, arrivals: 2, total: number("3") }] },
    { phase: "backward", node: 1, contributions: [{ parent: 0, edge: 0, arrival: 1, arrivals: 1, total: number("6") }] },
  ],
};

const indices = scene.nodes.map((_, index) => index);
const valuesAt = (step) => indices.filter(stateAt(scene, step).hasValue);
const adjointsAt = (step) => indices.filter((index) => stateAt(scene, step).adjoint(index));

test("at the start only the inputs are known", () => {
  assert.deepEqual(valuesAt(0), [0]);
  assert.deepEqual(adjointsAt(0), []);
  assert.equal(movingEdges(scene, scene.frames[0]).size, 0);
});

test("each step forward makes one more value known", () => {
  assert.deepEqual([0, 1, 2, 3].map(valuesAt), [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]);
});

test("the seed makes the adjoint of the output known", () => {
  assert.deepEqual(adjointsAt(3), []);
  assert.equal(shown(stateAt(scene, 4).adjoint(3)), "adjoint of f");
});

test("contributions to a node used twice add up one after the other", () => {
  const first = stateAt(scene, 5).adjoint(1);
  assert.deepEqual([shown(first), first.arrival, first.arrivals], ["1", 1, 2]);
  const second = stateAt(scene, 6).adjoint(1);
  assert.deepEqual([shown(second), second.arrival, second.arrivals], ["3", 2, 2]);
  assert.deepEqual(arrivals(scene, 1, 6).map((one) => one.from), [3, 2]);
});

test("stepping back takes back what was known", () => {
  assert.deepEqual([7, 4].map(adjointsAt), [[0, 1, 2, 3], [3]]);
});

test("forward the edges into a node move, backward those of its contributions", () => {
  assert.deepEqual([...movingEdges(scene, scene.frames[3])], [[2, "forward"], [3, "forward"]]);
  assert.deepEqual([...movingEdges(scene, scene.frames[5])], [[2, "backward"], [3, "backward"]]);
});

test("between two steps nothing changes but of the nodes that are touched", () => {
  const looks = (step) => {
    const { hasValue, adjoint } = stateAt(scene, step);
    return scene.nodes.map((_, k) => [hasValue(k), adjoint(k)?.arrival]);
  };
  const steps = [...scene.frames.keys()];
  const walks = steps.flatMap((from) => steps.map((to) => [from, to]));
  const missed = walks.filter(([from, to]) => {
    const [before, after] = [looks(from), looks(to)];
    const changed = before.flatMap((look, k) => (String(look) === String(after[k]) ? [] : [k]));
    return changed.some((k) => !touchedNodes(scene, [from, to]).includes(k));
  });
  assert.deepEqual([walks.length, missed], [steps.length ** 2, []]);
  assert.deepEqual(touchedNodes(scene, [0, 1]), [1]);
});

test("an edge stays marked once its gradient has passed", () => {
  const passed = (step) => scene.edges.flatMap((_, edge) => (stateAt(scene, step).hasPassed(edge) ? [edge] : []));
  assert.deepEqual([4, 5, 6, 7].map(passed), [[], [2, 3], [1, 2, 3], [0, 1, 2, 3]]);
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

test("a screen reader hears what a sighted user sees", () => {
  const say = (index, step) => nodeWords(scene, index, stateAt(scene, step));
  assert.equal(say(0, 0), "x, input: value value of x");
  assert.equal(say(1, 0), "u = x ** 2: not computed yet");
  assert.equal(say(1, 5), "u = x ** 2: value value of u, adjoint 1, 1 of 2 contributions");
  assert.equal(say(1, 6), "u = x ** 2: value value of u, adjoint 3");
});

const marked = { ...scene, nodes: scene.nodes.map((one, index) => (index === 1 ? { ...one, marks: [{ text: "kink: x is 0", style: 0 }] } : one)) };

test("a mark shows as soon as its value is known, and is spoken with its card", () => {
  assert.deepEqual(marksAt(marked, 1, stateAt(marked, 0)), []);
  assert.deepEqual(marksAt(marked, 1, stateAt(marked, 1)).map((mark) => mark.text), ["kink: x is 0"]);
  assert.deepEqual(marksAt(marked, 2, stateAt(marked, 7)), []);
  assert.equal(nodeWords(marked, 1, stateAt(marked, 0)), "u = x ** 2: not computed yet");
  assert.equal(nodeWords(marked, 1, stateAt(marked, 1)), "u = x ** 2: value value of u; kink: x is 0");
});

test("of a folded group its size and its result are said", () => {
  const say = (node) => cardWords(scene, { group: 0, node }, stateAt(scene, 1));
  assert.equal(say(null), "layer 1, 3 nodes, folded");
  assert.equal(say(1), "layer 1, 3 nodes, folded; its result is u = x ** 2: value value of u");
});

test("a step costs the same however many came before it", () => {
  let read = 0;
  const frames = Array.from({ length: 5000 }, (_, k) => ({ phase: k ? "forward" : "start", node: k ? Math.min(k, 2) : null, contributions: [] }));
  const counting = new Proxy(frames, { get: (all, key) => (read++, Reflect.get(all, key)) });
  const long = { ...scene, frames: counting };
  stateAt(long, 4999); // makes the index
  read = 0;
  const state = stateAt(long, 4998);
  assert.ok(state.hasValue(1) && !state.adjoint(0) && !state.hasPassed(0));
  assert.deepEqual(arrivals(long, 0, 4998), []);
  assert.ok(read < 5, `${read} frames were read`);
});

test("what is told later stands in the scene as if it had been there", () => {
  const light = structuredClone(scene);
  light.shapes = [];
  for (const frame of light.frames) frame.words = [];
  assert.equal(frameWords(light, light.frames[1]), "u is folded away.");
  assert.deepEqual(arrivals(light, 1, 6).map(({ line }) => line), [undefined, undefined]);
  const [first] = scene.frames[5].contributions;
  const told = { ...scene.frames[5], words: ["Backward: ", tensors.length], contributions: [{ ...first, line: "d_u = d_f" }] };
  const u = { ...scene.nodes[1], text: "np.square(x)" };
  const more = { nodes: { 1: u }, frames: { 5: told }, tensors: [{ words: "7" }], shapes: [["x"]], after: [tensors.length, 0] };
  for (let time = 0; time < 2; time++) {
    fillIn(light, more); // for each view of a model
    assert.equal(frameWords(light, light.frames[5]), "Backward: 7");
    assert.equal(light.nodes[1].text, "np.square(x)");
    assert.deepEqual(light.shapes, [["x"]]);
    assert.deepEqual(arrivals(light, 1, 6).map(({ line }) => line), ["d_u = d_f", undefined]);
    assert.equal(light.frames[5].contributions.length, 2);
  }
  fillIn(light, {}); // nothing yet
});
