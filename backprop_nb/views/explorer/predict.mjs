// Predict, then reveal: the strip that asks a question before each step back is shown.

import {
  HELP,
  MODES,
  answerWords,
  hintWords,
  hintsOf,
  judge,
  nextQuestion,
  pendingQuestion,
  questionWords,
  recordOf,
  scoreOf,
  scoreWords,
  stopBefore,
} from "./answers.mjs";
import { equation } from "./links.mjs";
import { focusInside, html, isPlain, rest } from "../view.mjs";

const SIGNS = [["-", "−", "negative"], ["0", "0", "zero"], ["+", "+", "positive"]];
const HINTS = "There are three hints, from vague to plain.";

const push = (text, onclick, more = {}) =>
  html("button", { type: "button", onclick, ...more }, text);

/** The strip.  What was answered is kept in traits, so that all views of a model agree. */
export class Quiz {
  constructor(view) {
    this.view = view;
    this.question = null;
    this.shown = "";
    const options = MODES.map((mode) => html("option", { value: mode }, mode));
    const onchange = () => this.setMode(this.select.value);
    this.select = html("select", { onchange }, ...options);
    const label = html("span", {}, "predict");
    this.control = html("label", { class: "bpnb-predict" }, label, this.select);
    this.asked = html("p", { class: "bpnb-asks" });
    this.answer = html("div", { class: "bpnb-answer" });
    this.verdict = html("p", { class: "bpnb-verdict" });
    this.hint = html("p", { class: "bpnb-hint-text" });
    this.score = html("span", { class: "bpnb-count" });
    const said = html("div", { class: "bpnb-said" }, this.verdict, this.hint);
    const strip = { class: "bpnb-quiz", role: "group", tabindex: -1, "aria-label": "Prediction" };
    this.element = html("div", strip, this.asked, this.score, this.answer, said);
  }

  get mode() {
    return this.view.model.get("predict");
  }

  get records() {
    return this.view.model.get("predictions");
  }

  get record() {
    return this.question ? recordOf(this.records, this.question.key) : {};
  }

  get atEnd() {
    return this.view.step === this.view.last;
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
    if (right) this.note({ tries, said: `${said} ${this.reply()}`, done: "right" });
    else this.note({ tries, said, done: "" });
  }

  reply() {
    return `The answer is ${answerWords(this.question, this.mode)}.`;
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
    if (this.question) this.note({ seen: true, done: this.record.done || "revealed" });
  }

  update() {
    const { view, mode, atEnd } = this;
    this.select.value = mode;
    this.element.hidden = mode === "off";
    this.question = pendingQuestion(view.scene, view.step, mode, this.records);
    const { done = "", said = "", hints = 0 } = this.record;
    const score = view.model.get("score");
    const idle = atEnd
      ? `The end: ${scoreWords(score)}.`
      : "Step forward. On the way back each step is asked for before it is shown.";
    this.element.classList.toggle("bpnb-idle", !this.question);
    this.asked.textContent = this.question ? questionWords(this.question, mode) : idle;
    this.verdict.textContent = said || HELP[mode];
    this.verdict.className = `bpnb-verdict bpnb-${done || (said ? "open" : "help")}`;
    this.hint.replaceChildren(...this.below());
    this.score.textContent = score.asked && !atEnd ? scoreWords(score) : "";
    this.updateAnswer(done, hints);
  }

  /** Under the verdict: the hint, and once it is answered, the rule that was asked about. */
  below() {
    const { done, hints } = this.record;
    if (!done && !hints) return [HINTS];
    const all = hintsOf(this.question, this.mode);
    const { text, contribution } = done ? all[this.mode === "shape" ? 0 : 1] : all[hints - 1];
    const head = html("b", {}, done ? "Rule: " : `Hint ${hints} of 3: `);
    return [head, contribution ? equation(this.view.scene, contribution) : text];
  }

  /** The controls change only with the question, so that what is being typed stays. */
  updateAnswer(done, hints) {
    const now = `${this.mode} ${this.question ? `${this.question.key} ${done}` : this.ahead()}`;
    if (this.more) rest(this.more, hints >= 3);
    if (now === this.shown) return;
    const focused = focusInside(this.element);
    this.shown = now;
    this.answer.replaceChildren(...this.controls(done));
    const first = this.answer.querySelector("input, button") ?? this.element;
    if (focused) first.focus({ preventScroll: true });
  }

  controls(done) {
    this.more = null;
    if (!this.question) return this.ahead() ? [push(this.ahead(), () => this.goOn())] : [];
    if (done) return [push("Continue", () => this.proceed())];
    this.more = push("Hint", () => this.note({ hints: Math.min(this.record.hints + 1, 3) }));
    const reveal = () => this.note({ done: "revealed", said: this.reply() });
    return [...this.field(), this.more, push("Reveal", reveal)];
  }

  /** Where nothing is asked: what the button says that leads to where something is. */
  ahead() {
    if (this.mode === "off") return "";
    if (this.atEnd) return "Begin again";
    const next = nextQuestion(this.view.scene, this.view.step, this.mode, this.records);
    return next === null ? "" : "To the next question";
  }

  goOn() {
    const from = this.atEnd ? 0 : this.view.step;
    if (this.atEnd) this.setMode(this.mode);
    this.view.go(nextQuestion(this.view.scene, from, this.mode, this.records) ?? 0);
  }

  field() {
    if (this.mode === "sign") {
      return SIGNS.map(([key, text, label]) =>
        push(text, () => this.check(key), { "aria-label": label }),
      );
    }
    const input = html("input", {
      type: "text",
      size: 12,
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": `Your answer, a ${this.mode === "shape" ? "shape" : "number"}`,
      onkeydown: (event) => {
        if (event.key !== "Enter" || !isPlain(event)) return;
        event.preventDefault(); // else the button that gets the focus is pressed as well
        this.check(input.value);
      },
    });
    return [input, push("Check", () => this.check(input.value))];
  }

  /** What the strip says, for those who do not see it. */
  words() {
    if (this.mode === "off") return "";
    const { said, hints, done } = this.record;
    const help = hints && !done ? hintWords(this.question, this.mode, hints) : "";
    return [said, help, done ? "" : this.asked.textContent].filter(Boolean).join(" ");
  }

  /** The keys of the sign's three buttons. */
  actions(event) {
    const isAsking = this.mode === "sign" && this.question && !this.record.done;
    if (!isAsking || !this.element.contains(event.target)) return {};
    return Object.fromEntries(SIGNS.map(([key]) => [key, () => this.check(key)]));
  }
}
