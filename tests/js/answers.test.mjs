// Questions and answers, without a page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  distanceWords,
  hintWords,
  hintsOf,
  isNear,
  judge,
  nextQuestion,
  parseNumber,
  parseShape,
  pendingQuestion,
  questionWords,
  questionsOf,
  recordOf,
  scoreOf,
  scoreWords,
  stopBefore,
} from "../../backprop_nb/views/explorer/answers.mjs";

const tensors = [];
const shaped = (shape, ...long) => tensors.push({ shape, words: `[${long.join(", ")}]` }) - 1;
const ask = (value, wrong = {}, at = "[1]") => ({ entry: at ? 1 : 0, at, value, wrong, rule: "a product", numbers: "2 × 3" });
const scene = {
  tensors,
  nodes: [
    { name: "x", text: "", value: shaped("(3,)") },
    { name: "u", text: "2 * x", value: shaped("(3,)") },
    { name: "f", text: "np.sum(u)", value: shaped("a number"), adjoint: shaped("a number", "1") },
  ],
  frames: [
    { phase: "start", contributions: [] },
    { phase: "seed", node: 2, contributions: [], ask: ask(1, {}, "") },
    {
      phase: "backward",
      node: 2,
      contributions: [
        { parent: 1, line: "d_u = d_f", arrival: 1, arrivals: 2, value: shaped("(3,)", "0.1", "0.6183"), total: shaped("(3,)", "0.1", "0.6183"), ask: ask(0.618281, { incoming: 1, local: 0.25 }) },
        { parent: 1, line: "d_u += d_f", arrival: 2, arrivals: 2, value: shaped("(3,)", "2", "2"), total: shaped("(3,)", "2.1", "2.618"), ask: ask(2.61828, { last: 2, before: 0.618281 }) },
      ],
    },
    { phase: "backward", node: 1, contributions: [{ parent: 0, line: "d_x = nan", arrival: 1, arrivals: 1, ask: null }] },
  ],
};
const [seed] = questionsOf(scene, 1);
const [first, whole] = questionsOf(scene, 2);

test("numbers are read as people write them", () => {
  // In Python, too: tests/checking/test_answers.py has the same cases.
  const file = new URL("../typed_numbers.json", import.meta.url);
  const { numbers, others } = JSON.parse(readFileSync(file, "utf8"));
  const read = (texts) => texts.map((text) => [text, parseNumber(text)?.value ?? null]);
  assert.deepEqual(read(Object.keys(numbers)), Object.entries(numbers));
  assert.deepEqual(read(others), others.map((text) => [text, null]));
});

test("the digits that were typed are counted, and what the last one stands for", () => {
  const digits = (text) => [parseNumber(text).digits, parseNumber(text).unit];
  assert.deepEqual(digits("0.62"), [2, 0.01]);
  assert.deepEqual(digits("0.030"), [2, 0.001]);
  assert.deepEqual(digits("1200"), [4, 1]);
  assert.deepEqual(digits("6.2e-3"), [2, 1e-4]);
  assert.deepEqual(digits("6,2 %"), [2, 1e-3]);
  assert.equal(parseNumber("1/3").digits, Infinity);
});

test("an answer counts within 1 %, or with two digits that are right", () => {
  const near = (text, right) => isNear(parseNumber(text), right);
  assert.ok(near("0.62", 0.6183) && near("0.618", 0.6183) && near("0.62", 0.6151));
  assert.ok(near("3", 3) && near("1/3", 0.333333) && near("0", 0));
  assert.ok(near("1.1", 1.05) && near("-0.30", -0.2961));
  assert.ok(!near("0.6", 0.6183), "one digit is not enough");
  assert.ok(!near("0.61", 0.6183) && !near("0.00", 0.004) && !near("0.1", 0) && !near("1", -1));
});

test("shapes are read as people write them", () => {
  for (const text of ["(3,)", "3", "[3]", " ( 3 ) "]) assert.equal(parseShape(text), "(3,)");
  for (const text of ["(3, 2)", "3x2", "3,2", "3 2", "3 by 2", "3 \u00d7 2", "[3, 2]"]) assert.equal(parseShape(text), "(3, 2)");
  for (const text of ["()", "a number", "scalar"]) assert.equal(parseShape(text), "a number");
  for (const text of ["", "x", "3.5", "-3", "(3;2)"]) assert.equal(parseShape(text), null);
});

test("every contribution is asked for, the last of several with all before it", () => {
  assert.deepEqual([seed, first, whole].map(({ key, node, whole: all, text }) => [key, node, all, text]), [
    ["1.0", 2, false, "1"],
    ["2.0", 1, false, "0.6183"],
    ["2.1", 1, true, "2.618"],
  ]);
  assert.deepEqual(questionsOf(scene, 3), [], "what is not a number is not asked for");
  assert.deepEqual(questionsOf(scene, 9), []);
});

test("the next question is the first that nobody has gone on from", () => {
  const pending = (mode, records) => pendingQuestion(scene, 1, mode, records)?.key ?? null;
  assert.equal(pending("off", {}), null);
  assert.equal(pending("value", {}), "2.0");
  assert.equal(pending("value", { "2.0": { done: "right" } }), "2.0", "its answer is still shown");
  assert.equal(pending("value", { "2.0": { done: "right", seen: true } }), "2.1");
  assert.equal(pending("value", { "2.0": { seen: true }, "2.1": { seen: true } }), null);
});

test("a step over several frames ends where something is asked, and goes on from there", () => {
  assert.equal(stopBefore(scene, 0, 3, "off", {}), 3);
  const seen = { "1.0": { seen: true } };
  assert.equal(stopBefore(scene, 0, 3, "value", seen), 1);
  assert.equal(stopBefore(scene, 1, 3, "value", seen), 2, "a step past a question reveals it");
  assert.equal(stopBefore(scene, 0, 3, "value", { ...seen, "2.0": { seen: true }, "2.1": { seen: true } }), 3);
});

test("a question says where, what and which entry", () => {
  assert.equal(questionWords(seed, "value"), "The way back begins: what is d_f, the derivative of f by itself?");
  assert.equal(questionWords(seed, "sign"), "The way back begins: is d_f, the derivative of f by itself, negative, zero or positive?");
  assert.equal(questionWords(first, "value"), "Back through f = np.sum(u): what does u receive, at entry [1]?");
  assert.equal(questionWords(whole, "value"), "Back through f = np.sum(u): the last contribution reaches u; what is its whole adjoint d_u, at entry [1]?");
  assert.equal(questionWords(first, "sign"), "Back through f = np.sum(u): is what u receives, at entry [1], negative, zero or positive?");
  assert.equal(questionWords(first, "shape"), "Back through f = np.sum(u): what is the shape of what u receives?");
});

test("a right answer is right, and says how right", () => {
  assert.deepEqual(judge("value", first, "0.618281"), { right: true, said: "Right." });
  assert.deepEqual(judge("value", first, "0,62"), { right: true, said: "Right, within 1 % or to the digits given." });
});

test("a mistake that is certain has a name", () => {
  const said = (question, text) => judge("value", question, text).said;
  assert.equal(said(first, "-0.618"), "Not yet. The size is right, the sign is flipped.");
  assert.equal(said(first, "1"), "Not yet. That is the adjoint of f as it arrives; the local derivative is missing.");
  assert.equal(said(first, "1/4"), "Not yet. That is the local derivative alone; the adjoint of f is missing.");
  assert.equal(said(whole, "2"), "Not yet. That is the last contribution alone; it adds to what had arrived before.");
  assert.equal(said(whole, "0.618"), "Not yet. That is what had arrived before; the last contribution is missing.");
});

test("any other wrong answer hears how far off it is, and not the number", () => {
  assert.equal(judge("value", first, "0.6").said, "Not yet: it is close, within 10 %.");
  assert.equal(distanceWords(0.9, 0.618), "it is within a factor of 2");
  assert.equal(distanceWords(-3, 0.618), "the sign is flipped, and it is more than 2 times too large");
  assert.equal(distanceWords(0.01, 0.618), "it is more than 10 times too small");
  assert.equal(distanceWords(0, 0.618), "it is not zero");
  assert.equal(distanceWords(2, 0), "it is smaller in size");
});

test("a comma before three digits is a decimal one, and who means a thousand hears so", () => {
  const large = { ...first, ask: { ...first.ask, value: 1250 } };
  const said = "Not yet: it is read as 1.250 and not as 1250.";
  assert.deepEqual(judge("value", large, "1,250"), { right: false, said });
  assert.match(judge("value", large, "1,500").said, /too small/);
});

test("what cannot be read is no try", () => {
  assert.equal(judge("value", first, "abc").right, null);
  assert.equal(judge("shape", first, "abc").right, null);
  assert.match(judge("value", first, "").said, /1\/4/);
});

test("signs and shapes are judged", () => {
  assert.deepEqual(["-", "0", "+"].map((text) => judge("sign", first, text).right), [false, false, true]);
  assert.equal(judge("sign", first, "-").said, "Not yet. Multiply the signs of the factors.");
  assert.equal(judge("sign", seed, "-").said, `Not yet. ${seed.ask.rule}`);
  assert.equal(judge("shape", first, "3").right, true);
  assert.equal(judge("shape", first, "()").said, "Not yet. That is the shape of f, whose adjoint is handed on.");
  assert.equal(judge("shape", seed, "()").right, true);
  const turned = { ...first, shape: "(3, 2)" };
  assert.equal(judge("shape", turned, "(2, 3)").said, "Not yet. The axes are the other way round.");
  assert.equal(judge("shape", turned, "(3, 3)").said, "Not yet. The number of axes is right.");
});

test("hints go from the rule to its numbers", () => {
  const texts = (question, mode) => hintsOf(question, mode).map((hint) => hint.text);
  assert.deepEqual(texts(first, "value"), ["a product", "d_u = d_f", "2 × 3, at [1]"]);
  assert.match(texts(whole, "value")[0], /Contributions add up/);
  assert.equal(texts(first, "shape").at(-1), "u is an array of shape (3,).");
  assert.equal(hintWords(first, "shape", 3), "Hint 3 of 3: u is an array of shape (3,).");
  assert.equal(hintWords(first, "value", 1), "Hint 1 of 3: a product.");
});

test("the score counts what was right at the first try", () => {
  const records = {
    a: { tries: 1, done: "right" },
    b: { tries: 2, done: "right" },
    c: { tries: 0, done: "revealed" },
    d: { tries: 3, done: "" },
  };
  assert.deepEqual(scoreOf(records), { right: 1, asked: 3 });
  assert.equal(scoreWords({ right: 1, asked: 3 }), "1 of 3 right at the first try");
  assert.equal(scoreWords(scoreOf({})), "no answer yet");
  assert.equal(recordOf({}, "a").tries, 0);
});

test("where nothing is asked, one can go to where something is", () => {
  assert.equal(nextQuestion(scene, 0, "value", {}), 0); // the seed is asked for before it is shown
  const seen = { "1.0": { seen: true }, "2.0": { seen: true } };
  assert.equal(nextQuestion(scene, 0, "value", seen), 1);
  assert.equal(nextQuestion(scene, 2, "value", seen), null); // no entry of what follows is a number
  assert.equal(nextQuestion(scene, 0, "off", {}), null);
});
