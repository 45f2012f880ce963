// Questions before each step back, and whether an answer is right: pure functions, tested
// without a page.  Python has computed every number.  What has become of each question is kept
// as a record by its key: { tries, hints, done, seen, said }.

import { entriesOf } from "../arrays.mjs";

export const MODES = ["off", "value", "sign", "shape"];
const TOLERANCE = 0.01;
const NOTATION = {
  value: "Write it like −0.25, 0,25, 25 %, 1/4, 2^−2 or 2e−3.",
  shape: "Write it like (3, 2), (3,), 3 or () for a number.",
};

/** How to answer: what stands where the verdict will be, and is as long as most of them. */
export const HELP = {
  off: "",
  value: "It counts within 1 %, or with two digits that are right.",
  sign: "The keys −, 0 and + answer, too.",
  shape: NOTATION.shape,
};

/** What is asked before a frame is shown: one question for each contribution in it. */
export function questionsOf(scene, step) {
  const frame = scene.frames[step];
  if (!frame) return [];
  const { nodes, tensors } = scene;
  const question = (k, ask, index, answer, more) => {
    const { name, value } = nodes[index];
    const text = ask.value === 0 ? "0" : entriesOf(tensors[answer])[ask.entry];
    const { shape } = tensors[value];
    return { key: `${step}.${k}`, node: index, name, shape, ask, text, ...more };
  };
  if (frame.ask) {
    const { node, ask } = frame;
    return [question(0, ask, node, nodes[node].adjoint, { giver: null, whole: false })];
  }
  const giverOf = ({ name, text, value }) => ({ name, text, shape: tensors[value].shape });
  return frame.contributions.flatMap((contribution, k) => {
    const { ask, parent, arrival, arrivals, total, value } = contribution;
    if (!ask) return [];
    const whole = arrivals > 1 && arrival === arrivals;
    const more = { giver: giverOf(nodes[frame.node]), contribution, whole };
    return [question(k, ask, parent, whole ? total : value, more)];
  });
}

const FRESH = { tries: 0, hints: 0, done: "", seen: false, said: "" };
export const recordOf = (records, key) => ({ ...FRESH, ...records[key] });

/** The question that stands between a step and the next, or null. */
export function pendingQuestion(scene, step, mode, records) {
  if (mode === "off") return null;
  return questionsOf(scene, step + 1).find(({ key }) => !recordOf(records, key).seen) ?? null;
}

/** How far one may go towards a step: to the last before a question. */
export function stopBefore(scene, from, to, mode, records) {
  for (let step = from; step < to; step++) {
    if (pendingQuestion(scene, step, mode, records)) return Math.max(step, Math.min(from + 1, to));
  }
  return to;
}

/** The step before the next question, this one included, or null. */
export function nextQuestion(scene, step, mode, records) {
  const steps = scene.frames.map((_, at) => at).slice(step);
  return steps.find((at) => pendingQuestion(scene, at, mode, records)) ?? null;
}

/** How many were right at the first try, of how many that were answered or revealed. */
export function scoreOf(records) {
  const done = Object.values(records).filter((record) => record.done);
  const right = done.filter((record) => record.done === "right" && record.tries === 1);
  return { right: right.length, asked: done.length };
}

export const scoreWords = ({ right, asked }) =>
  asked ? `${right} of ${asked} right at the first try` : "no answer yet";

/** A question in words. */
export function questionWords({ name, giver, whole, ask }, mode) {
  const at = ask.at && mode !== "shape" ? `, at entry ${ask.at}` : "";
  const own = `d_${name}, the derivative of ${name} by itself`;
  const through = giver ? `Back through ${giver.name} = ${giver.text}: ` : "The way back begins: ";
  const last = whole ? `the last contribution reaches ${name}; ` : "";
  const comma = at ? "," : "";
  const sum = `its whole adjoint d_${name}${at}`;
  const what = !giver ? own : whole ? `${sum}${comma}` : `what ${name} receives${at}${comma}`;
  const asked = {
    value: giver && !whole ? `what does ${name} receive${at}` : `what is ${giver ? sum : own}`,
    sign: `is ${what}${giver ? "" : ","} negative, zero or positive`,
    shape: `what is the shape of ${what}`,
  };
  return `${through}${last}${asked[mode]}?`;
}

/** Both numbers that a text with a comma may stand for, such as 1,000; or null. */
export function twoReadings(text) {
  const plain = text.trim().replace(/\.$/, "");
  const [, whole, rest] = plain.match(/(?:^|[^\d.,])([1-9]\d{0,2}),(\d{3})(?![\d.,])/) ?? [];
  return whole ? [whole + rest, `${whole}.${rest}`] : null;
}

/** A number as people write it, by the rule of `_as_number` in checking/reading.py; or null. */
export function parseNumber(text) {
  const plain = text
    .trim()
    .replace(/\.$/, "")
    .replace(/[¼-¾⅐-⅞]/g, (fraction) => `(${fraction.normalize("NFKC")})`)
    .replace(/(\d)[\s_](?=\d{3}(?!\d))/g, "$1") // 1 000
    .replace(/%(?=\s*(?:$|\)|\/|\*(?!\*)))/g, "/100") // but not 5 % 2
    .replace(/[−–×·^,⁄]/g, (sign) => IN_CODE[sign]);
  const value = computed(plain.match(TOKENS) ?? []);
  if (!Number.isFinite(value)) return null;
  const parts = plain.replace(/\s/g, "").match(SINGLE);
  if (!parts) return { value, digits: Infinity, unit: 0 };
  const [, whole, rest = "", power = 0, percent] = parts;
  const digits = (whole + rest).replace(/^0+/, "").length;
  return { value, digits, unit: Number(`1e${power - rest.length - (percent ? 2 : 0)}`) };
}

const IN_CODE = { "−": "-", "–": "-", "×": "*", "·": "*", "^": "**", ",": ".", "⁄": "/" };
const TOKENS = /\*\*|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|\S/gi;
const SINGLE = /^[+-]?(\d*)\.?(\d*)(?:e([+-]?\d+))?(\/100)?$/i;

/** The value of a product, a quotient or a power of numbers, which takes all tokens; or NaN. */
function computed(tokens) {
  const power = () => {
    const token = tokens.shift();
    if (token === "-") return -power();
    if (token === "+") return power();
    let value = Number(token);
    if (token === "(") {
      value = product();
      if (tokens.shift() !== ")") return NaN;
    }
    if (tokens[0] !== "**" || Number.isNaN(value)) return value;
    tokens.shift();
    return value ** power();
  };
  const product = () => {
    let value = power();
    while (tokens[0] === "*" || tokens[0] === "/") {
      value = tokens.shift() === "*" ? value * power() : value / power();
    }
    return value;
  };
  const value = product();
  return tokens.length ? NaN : value;
}

/** A shape as people write it: (3,), 3, 3x2, (); as NumPy writes it, or null. */
export function parseShape(text) {
  const inside = text.trim().replace(/^[([]\s*|\s*[)\]]$/g, "").replace(/,$/, "").trim();
  if (/^(a number|number|scalar)?$/i.test(inside)) return text.trim() ? "a number" : null;
  if (!/^\d+(\s*([,x×\s]|by)\s*\d+)*$/i.test(inside)) return null;
  const sizes = inside.match(/\d+/g).map(Number);
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(", ")})`;
}

/** Whether an answer is a number: within 1 %, or with at least two digits that are all right. */
export function isNear({ value, digits, unit }, right) {
  const distance = Math.abs(value - right);
  const isRounded = right !== 0 && digits >= 2 && distance <= unit * 0.500001;
  return distance <= TOLERANCE * Math.abs(right) || isRounded;
}

const MISTAKES = {
  incoming: ({ giver: { name } }) =>
    `That is the adjoint of ${name} as it arrives; the local derivative is missing.`,
  local: ({ giver: { name } }) =>
    `That is the local derivative alone; the adjoint of ${name} is missing.`,
  last: () => "That is the last contribution alone; it adds to what had arrived before.",
  before: () => "That is what had arrived before; the last contribution is missing.",
};

const wrong = (why) => ({ right: false, said: `Not yet${why}` });

function judgeValue(question, text) {
  const answer = parseNumber(text);
  if (!answer) return { right: null, said: `This is not a number. ${NOTATION.value}` };
  const { value, wrong: mistakes } = question.ask;
  if (isNear(answer, value)) {
    const exact = Math.abs(answer.value - value) <= 1e-5 * Math.abs(value);
    return { right: true, said: exact ? "Right." : "Right, within 1 % or to the digits given." };
  }
  const both = twoReadings(text);
  const meant = both && isNear(parseNumber(both[0]), value);
  if (meant) return wrong(`: it is read as ${both[1]} and not as ${both[0]}.`);
  const known = Object.keys(mistakes).find((kind) => isNear(answer, mistakes[kind]));
  if (known) return wrong(`. ${MISTAKES[known](question)}`);
  const flipped = value !== 0 && isNear(answer, -value);
  if (flipped) return wrong(". The size is right, the sign is flipped.");
  return wrong(`: ${distanceWords(answer.value, value)}.`);
}

/** How far off an answer is, without giving the number away. */
export function distanceWords(answer, right) {
  if (right === 0) return "it is smaller in size";
  if (answer === 0) return "it is not zero";
  const ratio = Math.abs(answer / right);
  const sign = answer * right < 0 ? "the sign is flipped, and " : "";
  const times = [10, 2].find((factor) => Math.max(ratio, 1 / ratio) > factor);
  const way = ratio > 1 ? "too large" : "too small";
  if (times) return `${sign}it is more than ${times} times ${way}`;
  const near = Math.abs(ratio - 1) <= 0.1;
  return `${sign}it is ${near ? "close, within 10 %" : "within a factor of 2"}`;
}

function judgeSign({ ask, giver }, text) {
  const right = Math.sign(ask.value) === { "-": -1, 0: 0, "+": 1 }[text];
  const hint = giver ? "Multiply the signs of the factors." : ask.rule;
  return right ? { right, said: "Right." } : wrong(`. ${hint}`);
}

function judgeShape({ name, shape, giver }, text) {
  const answer = parseShape(text);
  if (!answer) return { right: null, said: `This is not a shape. ${NOTATION.shape}` };
  if (answer === shape) return { right: true, said: "Right." };
  const sizes = (of) => of.match(/\d+/g) ?? [];
  if (answer === giver?.shape) {
    return wrong(`. That is the shape of ${giver.name}, whose adjoint is handed on.`);
  }
  if (sizes(answer).reverse().join() === sizes(shape).join()) {
    return wrong(". The axes are the other way round.");
  }
  const same = sizes(answer).length === sizes(shape).length;
  if (same) return wrong(". The number of axes is right.");
  return wrong(`. Another number of axes: think of ${name}.`);
}

/** Whether an answer is right (null: it cannot be read), and what is said about it. */
export const judge = (mode, question, text) =>
  ({ value: judgeValue, sign: judgeSign, shape: judgeShape })[mode](question, text);

/** Three hints, from vague to plain; the second may have a `contribution` to show as a formula. */
export function hintsOf({ name, shape, ask, contribution, giver, whole }, mode) {
  if (mode === "shape") {
    return [
      { text: "A gradient has the shape of the value that it belongs to." },
      { text: `Look at the value on the card of ${name}.` },
      { text: `${name} is ${shape === "a number" ? shape : `an array of shape ${shape}`}.` },
    ];
  }
  const change = `d_${name} is the change of ${name} for each change of ${name}.`;
  return [
    { text: ask.rule + (whole ? " Contributions add up." : "") },
    giver ? { text: contribution.line, contribution } : { text: change },
    { text: `${ask.numbers}${ask.at ? `, at ${ask.at}` : ""}` },
  ];
}

/** What is read out of the hints: the last that was asked for. */
export function hintWords(question, mode, count) {
  const text = hintsOf(question, mode)[count - 1].text.replace(/\.$/, "");
  return `Hint ${count} of 3: ${text}.`;
}

/** The answer in words. */
export function answerWords({ ask, text, shape }, mode) {
  if (mode === "shape") return shape === "a number" ? "a number, shape ()" : shape;
  if (mode === "sign") return ["negative", "zero", "positive"][Math.sign(ask.value) + 1];
  return text;
}
