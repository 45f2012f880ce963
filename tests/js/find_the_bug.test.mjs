// The pure half of find_the_bug.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { byStage, plural, told, unsealed, worth } from "../../backprop_nb/views/bug/widget.mjs";

const SECRET = {
  measured: { words: "measured" },
  hints: ["a", "b", "c"],
  verdicts: { wrong: { right: false, words: "no" }, right: { right: true, words: "yes" } },
  solution: { id: "right" },
};
const NOTHING = { measured: false, hints: 0, tried: [], givenUp: false };

test("what is sealed comes back as it was, beyond ASCII too", () => {
  const text = JSON.stringify({ words: "σ′ \u2013 δ" });
  const key = [7, 201, 33];
  const mixed = [...new TextEncoder().encode(text)].map((byte, k) => byte ^ key[k % key.length]);
  const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
  assert.deepEqual(unsealed({ key: base64(key), text: base64(mixed) }), { words: "σ′ \u2013 δ" });
});

test("where a kernel knows the answer there is nothing to unseal", () => {
  assert.equal(unsealed({}), null);
  assert.equal(unsealed(undefined), null);
});

test("only what is asked for is told", () => {
  assert.deepEqual(told(SECRET, NOTHING), { measured: null, hints: [], verdicts: [], solution: null });
  assert.deepEqual(told(SECRET, { ...NOTHING, measured: true }).measured, { words: "measured" });
  assert.deepEqual(told(SECRET, { ...NOTHING, hints: 2 }).hints, ["a", "b"]);
});

test("the solution comes with the right answer, or when it is asked for", () => {
  assert.equal(told(SECRET, { ...NOTHING, tried: ["wrong"] }).solution, null);
  assert.deepEqual(told(SECRET, { ...NOTHING, tried: ["wrong", "right"] }).solution, { id: "right" });
  assert.deepEqual(told(SECRET, { ...NOTHING, givenUp: true }).solution, { id: "right" });
});

test("help and wrong answers cost, but never all", () => {
  const points = { start: 6, measure: 1, hint: 1, wrong: 2, least: 1 };
  assert.equal(worth(points, { measured: 0, hints: 0, wrong: 0 }), 6);
  assert.equal(worth(points, { measured: 1, hints: 2, wrong: 1 }), 1);
  assert.equal(worth(points, { measured: 1, hints: 0, wrong: 1 }), 3);
  assert.equal(worth(points, { measured: 1, hints: 3, wrong: 4 }), 1);
});

test("one point, two points", () => {
  assert.deepEqual([plural(1, "point"), plural(2, "point")], ["1 point", "2 points"]);
});

test("choices stand with those of the same stage, in the order in which stages come", () => {
  const choices = ["a", "b", "a"].map((stage) => ({ stage }));
  assert.deepEqual(byStage(choices), [["a", [0, 2]], ["b", [1]]]);
});
