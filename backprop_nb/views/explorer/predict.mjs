// Predict, then reveal: a question before each step back is shown.  First half: pure
// functions.  Second half: the strip that asks.  Python has computed every number.

import { html, math } from "../view.mjs";
import { focusInside } from "./links.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

export const MODES = ["off", "value", "sign", "shape"];
const TOLERANCE = 0.01;
const RULE_OF_SHAPES = "A gradient has the shape of the value that it belongs to.";
const SPELLED = {
  value: "Write it like \u22120.25, 0,25, 1/4 or 2e\u22123.",
  shape: "Write it like (3, 2), (3,), 3 or () for a number.",
};
// How to answer: what stands where the verdict will be, and is as long as most of them.
const HELP = {
  off: "",
  value: "It counts within 1 %, or with two digits that are right.",
  sign: "The keys \u2212, 0 and + answer, too.",
  shape: SPELLED.shape,
};
const HINTS = "There are three hints, from vague to plain.";

/** What is asked before a frame is shown: one question for each contribution in it. */
export function questionsOf(scene, step) {
  const frame = scene.frames[step];
  if (!frame) return [];
  const name = (index) => scene.nodes[index].name;
  const about = (node, ask, tensor, more) => {
    const text = ask.value === 0 ? "0" : tensor.long[ask.entry];
    return { node, name: name(node), shape: scene.nodes[node].value.shape, ask, text, ...more };
  };
  if (frame.ask) return [{ key: `${step}.0`, ...about(frame.node, frame.ask, scene.nodes[frame.node].adjoint, { giver: null, whole: false }) }];
  return frame.gifts.flatMap((gift, k) => {
    if (!gift.ask) return [];
    const { line, formula, arrival, arrivals } = gift;
    const whole = arrivals > 1 && arrival === arrivals;
    const giver = { name: name(frame.node), text: scene.nodes[frame.node].text, shape: scene.nodes[frame.node].value.shape };
    return [{ key: `${step}.${k}`, ...about(gift.parent, gift.ask, whole ? gift.sum : gift.value, { giver, line, formula, whole }) }];
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
  for (let at = step; at < scene.frames.length; at++) if (pendingQuestion(scene, at, mode, records)) return at;
  return null;
}

/** How many were right at the first try, of how many that were answered or revealed. */
export function scoreOf(records) {
  const done = Object.values(records).filter((record) => record.done);
  return { right: done.filter((record) => record.done === "right" && record.tries === 1).length, asked: done.length };
}

export const scoreWords = ({ right, asked }) => (asked ? `${right} of ${asked} right at the first try` : "no answer yet");

/** A question in words. */
export function questionWords({ name, giver, whole, ask }, mode) {
  const through = giver ? `Back through ${giver.name} = ${giver.text}: ` : "The way back begins: ";
  const at = ask.at && mode !== "shape" ? `, at entry ${ask.at},` : "";
  const [what, asked] = !giver
    ? [`d_${name}, the derivative of ${name} by itself`, `what is d_${name}, the derivative of ${name} by itself`]
    : whole
      ? [`its whole adjoint d_${name}${at}`, `what is its whole adjoint d_${name}${at}`]
      : [`what ${name} receives${at}`, `what does ${name} receive${at}`];
  const last = whole && giver ? `the last contribution reaches ${name}; ` : "";
  if (mode === "shape") return `${through}${last}what is the shape of ${what}?`;
  if (mode === "sign") return `${through}${last}is ${what} negative, zero or positive?`;
  return `${through}${last}${asked.replace(/,$/, "")}?`;
}

/** A number as people write it: -0.25, 0,25, 1/4, 2e-3; null for anything else. */
export function parseNumber(text) {
  const plain = text.replace(/\u2212/g, "-").replace(/\s+/g, "");
  const parts = plain.split("/").map((part) => part.match(/^([+-]?)(\d*)(?:[.,](\d*))?(?:e([+-]?\d+))?$/i));
  if (parts.length > 2 || parts.some((part) => !part || !(part[2] || part[3]))) return null;
  const number = ([, sign, whole, rest = "", power = "0"]) => Number(`${sign}${whole || 0}.${rest || 0}e${power}`);
  const value = parts.length === 2 ? number(parts[0]) / number(parts[1]) : number(parts[0]);
  if (!Number.isFinite(value)) return null;
  const [, , whole, rest = "", power = "0"] = parts[0];
  const digits = parts.length === 2 ? Infinity : (whole + rest).replace(/^0+/, "").length;
  return { value, digits, unit: parts.length === 2 ? 0 : Number(`1e${Number(power) - rest.length}`) };
}

/** A shape as people write it: (3,), 3, 3x2, (); as NumPy writes it, or null. */
export function parseShape(text) {
  const inside = text.trim().replace(/^[([]\s*|\s*[)\]]$/g, "").replace(/,$/, "").trim();
  if (/^(a number|number|scalar)?$/i.test(inside)) return text.trim() ? "a number" : null;
  if (!/^\d+(\s*[,x\u00d7\s]\s*\d+)*$/i.test(inside)) return null;
  const sizes = inside.match(/\d+/g).map(Number);
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(", ")})`;
}

/** Whether an answer is a number: within 1 %, or with at least two digits that are all right. */
export function isNear({ value, digits, unit }, right) {
  const distance = Math.abs(value - right);
  return distance <= TOLERANCE * Math.abs(right) || (right !== 0 && digits >= 2 && distance <= unit * 0.500001);
}

const MISTAKES = {
  incoming: ({ giver }) => `That is the adjoint of ${giver.name} as it arrives; the local derivative is missing.`,
  local: ({ giver }) => `That is the local derivative alone; the adjoint of ${giver.name} is missing.`,
  last: () => "That is the last contribution alone; it adds to what had arrived before.",
  before: () => "That is what had arrived before; the last contribution is missing.",
};

function judgeValue(question, text) {
  const answer = parseNumber(text);
  if (!answer) return { right: null, said: `This is no number. ${SPELLED.value}` };
  const { value, wrong } = question.ask;
  if (isNear(answer, value)) {
    const exact = Math.abs(answer.value - value) <= 1e-5 * Math.abs(value);
    return { right: true, said: exact ? "Right." : "Right, within 1 % or to the digits given." };
  }
  const named = Object.keys(wrong).find((kind) => isNear(answer, wrong[kind]));
  if (named) return { right: false, said: `Not yet. ${MISTAKES[named](question)}` };
  if (value !== 0 && isNear(answer, -value)) return { right: false, said: "Not yet. The size is right, the sign is flipped." };
  return { right: false, said: `Not yet: ${distanceWords(answer.value, value)}.` };
}

/** How far off an answer is, without giving the number away. */
export function distanceWords(answer, right) {
  if (right === 0) return "it is smaller in size";
  if (answer === 0) return "it is not zero";
  const ratio = Math.abs(answer / right);
  const sign = answer * right < 0 ? "the sign is flipped, and " : "";
  if (Math.max(ratio, 1 / ratio) > 10) return `${sign}it is more than 10 times ${ratio > 1 ? "too large" : "too small"}`;
  if (Math.max(ratio, 1 / ratio) > 2) return `${sign}it is more than 2 times ${ratio > 1 ? "too large" : "too small"}`;
  return `${sign}it is ${Math.abs(ratio - 1) <= 0.1 ? "close, within 10 %" : "within a factor of 2"}`;
}

function judgeSign({ ask }, text) {
  const right = Math.sign(ask.value) === { "-": -1, 0: 0, "+": 1 }[text];
  return { right, said: right ? "Right." : "Not yet. Multiply the signs of the factors." };
}

function judgeShape({ name, shape, giver }, text) {
  const answer = parseShape(text);
  if (!answer) return { right: null, said: `This is no shape. ${SPELLED.shape}` };
  if (answer === shape) return { right: true, said: "Right." };
  const sizes = (of) => of.match(/\d+/g) ?? [];
  if (giver && answer === giver.shape) return { right: false, said: `Not yet. That is the shape of ${giver.name}, whose adjoint is handed on.` };
  if (sizes(answer).reverse().join() === sizes(shape).join()) return { right: false, said: "Not yet. The axes are the other way round." };
  const same = sizes(answer).length === sizes(shape).length;
  return { right: false, said: `Not yet. ${same ? "The number of axes is right" : `Another number of axes: think of ${name}`}.` };
}

/** Whether an answer is right (null: it cannot be read), and what is said about it. */
export const judge = (mode, question, text) => ({ value: judgeValue, sign: judgeSign, shape: judgeShape })[mode](question, text);

/** Three hints, from vague to plain; the second may be a formula. */
export function hintsOf(scene, question, mode) {
  const { name, shape, ask, line, formula, giver, whole } = question;
  if (mode === "shape") return [{ text: RULE_OF_SHAPES }, { text: `Look at the value on the card of ${name}.` }, { text: `${name} is ${shape === "a number" ? shape : `an array of shape ${shape}`}.` }];
  const add = whole ? " Contributions add up." : "";
  return [
    { text: scene.hints[ask.rule] + add },
    giver ? { text: line, formula } : { text: `d_${name} is the change of ${name} for each change of ${name}.` },
    { text: `${ask.numbers}${ask.at ? `, at ${ask.at}` : ""}` },
  ];
}

/** The answer in words. */
export function answerWords({ ask, text, shape }, mode) {
  if (mode === "shape") return shape === "a number" ? "a number, shape ()" : shape;
  if (mode === "sign") return ["negative", "zero", "positive"][Math.sign(ask.value) + 1];
  return text;
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const SIGNS = [["-", "\u2212", "negative"], ["0", "0", "zero"], ["+", "+", "positive"]];

/** The strip that asks.  What was answered is kept in traits, so that all views of a model agree. */
export class Quiz {
  constructor(view) {
    this.view = view;
    this.question = null;
    this.shown = "";
    this.select = html("select", { onchange: () => this.setMode(this.select.value) }, ...MODES.map((mode) => html("option", { value: mode }, mode)));
    this.control = html("label", { class: "bpnb-predict" }, html("span", {}, "predict"), this.select);
    this.asked = html("p", { class: "bpnb-asks" });
    this.answer = html("div", { class: "bpnb-answer" });
    this.verdict = html("p", { class: "bpnb-verdict" });
    this.hint = html("p", { class: "bpnb-hint-text" });
    this.score = html("span", { class: "bpnb-count" });
    this.element = html(
      "div",
      { class: "bpnb-quiz", role: "group", tabindex: -1, "aria-label": "Prediction" },
      this.asked,
      this.score,
      this.answer,
      html("div", { class: "bpnb-said" }, this.verdict, this.hint),
    );
  }

  get mode() {
    return this.view.model.get("predict");
  }

  get records() {
    return this.view.model.get("predictions");
  }

  get record() {
    return recordOf(this.records, this.question.key);
  }

  setMode(mode) {
    this.view.model.set("predictions", {});
    this.view.model.set("score", scoreOf({}));
    this.view.set("predict", mode);
  }

  note(change) {
    const records = { ...this.records, [this.question.key]: { ...this.record, ...change } };
    this.view.model.set("score", scoreOf(records));
    this.view.set("predictions", records);
  }

  check(text) {
    const { right, said } = judge(this.mode, this.question, text);
    const tries = this.record.tries + (right === null ? 0 : 1);
    this.note({ tries, said: right ? `${said} ${this.reply()}` : said, done: right ? "right" : "" });
  }

  reply() {
    return `The answer is ${answerWords(this.question, this.mode)}.`;
  }

  reveal() {
    this.note({ done: "revealed", said: this.reply() });
  }

  moreHint() {
    this.note({ hints: Math.min(this.record.hints + 1, 3) });
  }

  /** Go on from a question that is done: to the next one, or to the step that it was about. */
  proceed() {
    this.note({ seen: true });
    if (!this.question) this.view.go(this.view.step + 1);
  }

  stopBefore(step) {
    return stopBefore(this.view.scene, this.view.step, step, this.mode, this.records);
  }

  /** A step forward reveals what was asked. */
  giveUp() {
    if (this.question) this.note({ seen: true, ...(this.record.done ? {} : { done: "revealed" }) });
  }

  update() {
    const { view, mode } = this;
    this.select.value = mode;
    this.element.hidden = mode === "off";
    this.question = pendingQuestion(view.scene, view.step, mode, this.records);
    const { done = "", said = "", hints = 0 } = this.question ? this.record : {};
    this.asked.textContent = this.question ? questionWords(this.question, mode) : this.idleWords();
    const score = view.model.get("score");
    const ended = view.step === view.last;
    this.verdict.textContent = said || (ended ? "" : HELP[mode]);
    this.verdict.className = `bpnb-verdict bpnb-${done || (said ? "open" : "help")}`;
    this.hint.replaceChildren(...this.below(done, hints, ended));
    this.score.textContent = score.asked && !ended ? scoreWords(score) : "";
    this.updateAnswer(done, hints);
  }

  idleWords() {
    if (this.view.step === this.view.last) return `The end: ${scoreWords(this.view.model.get("score"))}.`;
    return "Step forward. On the way back each step is asked for before it is shown.";
  }

  /** Under the verdict: the hint, and once it is answered, the rule that was asked about. */
  below(done, hints, ended) {
    if (!this.question || !(done || hints)) return [ended ? "" : HINTS];
    const all = hintsOf(this.view.scene, this.question, this.mode);
    const { text, formula } = done ? all[this.mode === "shape" ? 0 : 1] : all[hints - 1];
    return [html("b", {}, done ? "Rule: " : `Hint ${hints} of 3: `), formula ? math(formula) : text];
  }

  /** The controls change only with the question, so that what is being typed stays. */
  updateAnswer(done, hints) {
    const now = this.question ? `${this.mode} ${this.question.key} ${done}` : `${this.mode} ${this.ahead()}`;
    if (this.more) this.more.disabled = hints >= 3;
    if (now === this.shown) return;
    const focused = focusInside(this.element);
    this.shown = now;
    this.answer.replaceChildren(...this.controls(done));
    if (focused) (this.answer.querySelector("input, button") ?? this.element).focus({ preventScroll: true });
  }

  controls(done) {
    const button = (text, onclick, more = {}) => html("button", { type: "button", onclick, ...more }, text);
    this.more = null;
    if (!this.question) return this.ahead() ? [button(this.ahead(), () => this.goOn())] : [];
    if (done) return [button("Continue", () => this.proceed())];
    this.more = button("Hint", () => this.moreHint());
    return [...this.field(button), this.more, button("Reveal", () => this.reveal())];
  }

  /** Where nothing is asked: what the button says that leads to where something is. */
  ahead() {
    const { view, mode, records } = this;
    if (mode === "off") return "";
    if (view.step === view.last) return "Begin again";
    return nextQuestion(view.scene, view.step, mode, records) === null ? "" : "To the next question";
  }

  goOn() {
    const { view, mode } = this;
    const again = view.step === view.last;
    if (again) this.setMode(mode);
    view.go(nextQuestion(view.scene, again ? 0 : view.step, mode, this.records) ?? 0);
  }

  field(button) {
    if (this.mode === "sign") return SIGNS.map(([key, text, label]) => button(text, () => this.check(key), { "aria-label": label }));
    const enter = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // else the button that gets the focus is pressed as well
      this.check(input.value);
    };
    const label = this.mode === "shape" ? "shape" : "number";
    const input = html("input", { type: "text", size: 12, autocomplete: "off", spellcheck: "false", "aria-label": `Your answer, a ${label}`, onkeydown: enter });
    return [input, button("Check", () => this.check(input.value))];
  }

  /** What the strip says, for those who do not see it. */
  words() {
    if (this.mode === "off") return "";
    const parts = [this.question && this.record.said, this.hintWords(), this.question && this.record.done ? "" : this.asked.textContent];
    return parts.filter(Boolean).join(" ");
  }

  hintWords() {
    if (!this.question || !this.record.hints || this.record.done) return "";
    const { text } = hintsOf(this.view.scene, this.question, this.mode)[this.record.hints - 1];
    return `Hint ${this.record.hints} of 3: ${text}.`;
  }

  /** The keys of the sign's three buttons. */
  actions(event) {
    if (!this.element.contains(event.target) || this.mode !== "sign" || !this.question || this.record.done) return {};
    return Object.fromEntries(SIGNS.map(([key]) => [key, () => this.check(key)]));
  }
}
