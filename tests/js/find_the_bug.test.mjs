// The pure half of find_the_bug.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { reveal, unsealed } from "../../backprop_nb/views/bug/widget.mjs";

const note = (kind, title) => ({ kind, title, words: kind });
const SECRET = {
  picture: { shapes: [] },
  measured: note("measured"),
  hints: ["a", "b", "c"].map((title) => note("hint", title)),
  verdicts: { wrong: note("wrong"), right: note("right") },
  solution: { id: "right", notes: [note("solution", "It is:"), note("solution", "Why:")] },
  // Each is another number: measured, hints and wrong answers, one after the other.
  worth: [0, 1].map((measured) => [0, 1, 2, 3].map((hints) => [0, 1].map((wrong) => 100 * measured + 10 * hints + wrong))),
};
const NOTHING = { measured: false, hints: 0, tried: [], given_up: false };
const of = (asked) => reveal(SECRET, { ...NOTHING, ...asked });
const titles = (asked) => of(asked).notes.map(({ kind, title }) => title ?? kind);

test("what is sealed comes back as it was, beyond ASCII too", async () => {
  // As packed in page.py: JSON, deflated, as Base64.
  const text = "eNqrVirPL0opVrJSiik1ME42jik1MjA2UgBxkkyUagGb4wk2";
  assert.deepEqual(await unsealed(text), { words: "σ′ δ" });
});

test("only what is asked for is told", () => {
  assert.deepEqual(of({}), { picture: null, notes: [], solved: false, solution: null, worth: 0 });
  assert.deepEqual(of({ measured: true }).picture, SECRET.picture);
  assert.deepEqual(titles({ measured: true, hints: 2 }), ["measured", "a", "b"]);
});

test("the solution comes with the right answer, or when it is asked for", () => {
  assert.deepEqual(titles({ tried: ["wrong"] }), ["wrong"]);
  assert.equal(of({ tried: ["wrong"] }).solution, null);
  assert.deepEqual(titles({ tried: ["wrong", "right"] }), ["wrong", "right", "Why:"]);
  assert.equal(of({ tried: ["wrong", "right"] }).solution.id, "right");
  assert.deepEqual(titles({ given_up: true }), ["It is:", "Why:"]);
  assert.deepEqual([of({ tried: ["right"] }).solved, of({ given_up: true }).solved], [true, false]);
});

test("help and wrong answers cost what the table says", () => {
  assert.equal(of({ measured: true, hints: 2, tried: ["wrong"] }).worth, 121);
  assert.equal(of({ hints: 3, tried: ["wrong", "right"] }).worth, 31);
});
