// Folding groups of a scene: which cards there are, and what a step passes.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cardsOf,
  edgesNear,
  foldKey,
  foldedIn,
  meet,
  membersOf,
  nearestKnown,
  nextCard,
  outermostFolded,
  passage,
  stepPast,
  turned,
} from "../../backprop_nb/views/explorer/folding.mjs";

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
  folded: [],
  cards: [0, 1, 2, 3, 4].map((node) => ({ node, box: box(150 * node, 100 * (node % 2)) })),
  edges: [0, 1, 2, 3].map((k) => ({ tail: k, head: k + 1, of: [k] })),
};
const inner = {
  folded: ["g"],
  cards: [{ node: 0, box: box(0) }, { group: 1, box: box(150) }, { node: 3, box: box(300) }, { node: 4, box: box(450) }],
  edges: [{ tail: 0, head: 1, of: [0] }, { tail: 1, head: 2, of: [2] }, { tail: 2, head: 3, of: [3] }],
};
const outer = { folded: ["h"], cards: [{ node: 0, box: box(0) }, { group: 0, box: box(150) }, { node: 4, box: box(300) }], edges: [] };

test("a group inside a folded one is on the card of the outermost", () => {
  assert.deepEqual(outermostFolded(groups, []), [null, null]);
  assert.deepEqual(outermostFolded(groups, ["g"]), [null, 1]);
  assert.deepEqual(outermostFolded(groups, ["g", "h"]), [0, 0]);
  assert.equal(foldKey(groups, ["g", "h"]), foldKey(groups, ["h"]));
});

test("turning a group over and back changes nothing", () => {
  assert.deepEqual(turned(groups, ["g"], "h"), ["h", "g"]);
  assert.deepEqual(turned(groups, turned(groups, ["g"], "h"), "h"), ["g"]);
});

test("every node is on exactly one card", () => {
  assert.deepEqual(cardsOf(scene, open), [0, 1, 2, 3, 4]);
  assert.deepEqual(cardsOf(scene, inner), [0, 1, 1, 2, 3]);
  assert.deepEqual(cardsOf(scene, outer), [0, 1, 1, 1, 2]);
  assert.deepEqual(membersOf(scene, 0), [1, 2, 3]);
});

test("a step passes a folded group as a whole, forward and back", () => {
  const walk = (geometry, step, way) => stepPast(scene, geometry, cardsOf(scene, geometry), step, way);
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
  assert.equal(walk(outer, 0, -1), 0);
  assert.equal(walk(outer, 9, 1), 9);
});

test("from inside of a folded group a step leads to its end, or before it", () => {
  const cardOf = cardsOf(scene, outer);
  assert.deepEqual(passage(scene, outer, cardOf, 2), [1, 3]);
  assert.equal(stepPast(scene, outer, cardOf, 2, 1), 3);
  assert.equal(stepPast(scene, outer, cardOf, 2, -1), 0);
});

test("arrows follow the edges between cards, and stop where there is none", () => {
  assert.equal(nextCard(open, 2, "ArrowLeft"), 1);
  assert.equal(nextCard(inner, 0, "ArrowRight"), 1);
  assert.equal(nextCard(inner, 3, "ArrowRight"), null);
  assert.equal(nextCard(open, 2, "ArrowDown"), 1);
  assert.equal(nextCard(open, 1, "ArrowDown"), null);
});

test("without a kernel the nearest known geometry with the group turned is taken", () => {
  assert.equal(nearestKnown(groups, [outer, inner], [], 0), inner); // h open
  assert.equal(nearestKnown(groups, [outer, inner, open], [], 1), open); // g open
  assert.equal(nearestKnown(groups, [outer, inner], [], 1), null);
  assert.deepEqual(foldedIn(groups, outer), ["h", "g"]);
});

test("boxes meet when they share a point", () => {
  assert.equal(meet([0, 0, 10, 10], [10, 10, 5, 5]), true);
  assert.equal(meet([0, 0, 10, 10], [11, 0, 5, 5]), false);
});

test("of a thousand edges in one lane, those that end near the stage are drawn, and one that passes", () => {
  const edges = [{ tail: 0, head: 1 }, { tail: 0, head: 5 }, { tail: 0, head: 6 }, { tail: 0, head: 7 }, { tail: 7, head: 8 }];
  const places = [[0, 0, 100, 10], [0, 0, 500, 10], [0, 0, 600, 10], [0, 0, 700, 10], [700, 0, 100, 10]].map((box) => ({ box }));
  assert.deepEqual(edgesNear(edges, places, new Set([5]), [450, 0, 100, 100]), [1, 2]);
});
