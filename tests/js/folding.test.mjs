// Folding groups of a scene: what a step passes, and where the keys lead.

import assert from "node:assert/strict";
import { test } from "node:test";

import { nextCard, passage, stepPast, turned } from "../../backprop_nb/views/explorer/folding.mjs";

// x -> a1 -> a2 -> b -> out; a1 and a2 are in g, which is in h with b.
const groups = [
  { id: "h", name: "h", parent: null },
  { id: "g", name: "g", parent: 0 },
];
const scene = {
  groups,
  nodes: [{ group: null }, { group: 1 }, { group: 1 }, { group: 0 }, { group: null }],
  frames: [
    { phase: "start", node: null },
    { phase: "forward", node: 1 },
    { phase: "forward", node: 2 },
    { phase: "forward", node: 3 },
    { phase: "forward", node: 4 },
    { phase: "seed", node: 4 },
    { phase: "backward", node: 4 },
    { phase: "backward", node: 3 },
    { phase: "backward", node: 2 },
    { phase: "backward", node: 1 },
  ],
};
const box = (x, y = 0) => [x, y, 100, 80];
const open = {
  card_of: [0, 1, 2, 3, 4],
  cards: [0, 1, 2, 3, 4].map((node) => ({ group: null, box: box(150 * node, 100 * (node % 2)) })),
  edges: [0, 1, 2, 3].map((k) => ({ tail: k, head: k + 1, of: [k] })),
};
const inner = {
  card_of: [0, 1, 1, 2, 3],
  cards: [null, 1, null, null].map((group, k) => ({ group, box: box(150 * k) })),
  edges: [0, 1, 2].map((k) => ({ tail: k, head: k + 1 })),
};
const outer = {
  card_of: [0, 1, 1, 1, 2],
  cards: [null, 0, null].map((group, k) => ({ group, box: box(150 * k) })),
  edges: [],
};

test("turning a group over and back changes nothing", () => {
  assert.deepEqual(turned(groups, ["g"], "h"), ["h", "g"]);
  assert.deepEqual(turned(groups, turned(groups, ["g"], "h"), "h"), ["g"]);
});

test("a step passes a folded group as a whole, forward and back", () => {
  const walk = (geometry, step, way) => stepPast(scene, geometry, step, way);
  const all = (geometry) => {
    const steps = [0];
    while (steps.at(-1) < 9) steps.push(walk(geometry, steps.at(-1), 1));
    return steps;
  };
  assert.deepEqual(all(open), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(all(inner), [0, 2, 3, 4, 5, 6, 7, 9]);
  assert.deepEqual(all(outer), [0, 3, 4, 5, 6, 9]);
  assert.equal(walk(outer, 9, -1), 6);
  assert.equal(walk(outer, 3, -1), 0);
  assert.equal(walk(outer, 0, -1), -1);
  assert.equal(walk(outer, 9, 1), 10);
});

test("from inside of a folded group a step leads to its end, or before it", () => {
  assert.deepEqual(passage(scene, outer, 2), [1, 3]);
  assert.equal(stepPast(scene, outer, 2, 1), 3);
  assert.equal(stepPast(scene, outer, 2, -1), 0);
});

test("arrows follow the edges between cards, and stop where there is none", () => {
  assert.equal(nextCard(open, 2, "ArrowLeft"), 1);
  assert.equal(nextCard(inner, 0, "ArrowRight"), 1);
  assert.equal(nextCard(inner, 3, "ArrowRight"), null);
  assert.equal(nextCard(open, 2, "ArrowDown"), 1);
  assert.equal(nextCard(open, 1, "ArrowDown"), null);
});
