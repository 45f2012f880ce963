// FindTheBug: a broken backward pass, and the question what is wrong with it.
// The scene is BugScene in schema.py; BugFound there is what has been told so far.

import {
  Controls,
  Replay,
  bytes,
  clock,
  counter,
  focusInside,
  html,
  live,
  math,
  panel,
  patched,
  repaint,
  rest,
  unpacked,
} from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** What page.py packed for a page without a kernel to tell. */
export const unsealed = (text) => unpacked(bytes(text));

/** Of all that can be told what has been asked for, as `reveal` in answers.py. */
export function reveal(secret, { measured, hints, tried, given_up: givenUp }) {
  const { solution } = secret;
  const verdicts = tried.map((id) => secret.verdicts[id]);
  const solved = verdicts.some(({ kind }) => kind === "right");
  const over = solved || givenUp;
  return {
    picture: measured ? secret.picture : null,
    notes: [
      ...(measured ? [secret.measured] : []),
      ...secret.hints.slice(0, hints),
      ...verdicts,
      ...(over ? solution.notes.slice(Number(solved)) : []),
    ],
    solved,
    solution: over ? solution : null,
    worth: secret.worth[Number(measured)][hints][verdicts.length - solved],
  };
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const MARKS = { right: "\u2713 this one", wrong: "\u2717 not this" };
const SIGNS = { wrong: "\u2717", right: "\u2713" };
const NOTHING_YET =
  "Watch the training, compare the lengths, look at the numbers. " +
  "At epoch 0 both passes stand at the same weights. What you ask for appears here.";
const NO_LINE_YET =
  "Click the line that you think is wrong, then Answer. A line that is fine tells what it computes. " +
  "To see which gradients are right helps.";

class Game extends Replay {
  constructor(model, el) {
    super(model, el);
    this.controls = new Controls(this);
    this.closed = !model.get("sealed"); // then only a kernel knows
    this.build();
    this.show();
    this.follow(() => this.show(), "scene");
    this.follow(() => this.updatePlay(), "playing");
    this.follow(() => this.updateStep(), "step");
    this.follow(() => this.update(), "found", "score", "round");
  }

  get found() {
    return this.model.get("found");
  }

  whatIsLeft() {
    return `${super.whatIsLeft()}${this.closed ? ", but not answered" : ""}`;
  }

  /** Whether a line is to be picked, and nothing is replayed. */
  get asksLine() {
    return this.scene.asks === "line";
  }

  // -- building -------------------------------------------------------------

  build() {
    const { model } = this;
    const div = (name, ...children) => html("div", { class: `bpnb-bug-${name}` }, ...children);
    const button = (text, onclick) => html("button", { type: "button", onclick }, text);
    const more = (key) => () => this.set(key, model.get(key) + 1);
    this.heading = html("div", { class: "bpnb-title bpnb-bug-title" });
    this.level = html("span");
    this.course = this.buildCourse();
    this.nextButton = button("Next round", more("round"));
    this.setting = html("p", { class: "bpnb-bug-setting" });
    this.places = { loss: html("div"), flow: html("div"), gradients: html("div", { class: "bpnb-bug-gradients", role: "group", tabindex: 0, "aria-label": "Gradients" }) };
    this.code = panel("The pass as NumPy", { class: "bpnb-bug-code" });
    this.notes = panel("Hints and answers", { class: "bpnb-bug-notes" });
    this.answerButton = button("Answer", () => this.answer());
    this.answerButton.classList.add("bpnb-main");
    this.measureButton = button("", () => this.set("measured", true));
    this.hintButton = button("", more("hints"));
    this.tellButton = button("", () => this.set("given_up", true));
    this.stand(
      "find_the_bug",
      "Find the bug",
      html("div", { class: "bpnb-bar" }, ...this.buildReplay(), this.heading),
      html(
        "div",
        { class: "bpnb-controls bpnb-bug-controls" },
        html(
          "div",
          { class: "bpnb-controls bpnb-bug-controls", "data-kernel": true },
          this.course,
          this.level,
          this.nextButton,
        ),
        this.setting,
      ),
      div(
        "body",
        div("evidence", ...Object.values(this.places)),
        div("below", this.buildQuestion(), this.code, this.notes),
      ),
    );
  }

  /** Whose pass it is; one with named mistakes is the document's. */
  buildCourse() {
    const onchange = ({ target }) => this.set("course", target.value);
    const option = (value) => html("option", { value }, value);
    const select = html("select", { onchange }, ...this.model.get("courses").map(option));
    const hidden = !select.options.length;
    return html("label", { class: "bpnb-slider", hidden }, html("span", {}, "course"), select);
  }

  buildQuestion() {
    const id = `bpnb-bug-${++games}`;
    this.options = html("div", {
      id: `${id}-options`,
      class: "bpnb-bug-options",
      role: "group",
      "aria-labelledby": id,
    });
    const { answerButton, measureButton, hintButton, tellButton } = this;
    const buttons = [answerButton, measureButton, hintButton, tellButton];
    return html(
      "div",
      { class: "bpnb-panel bpnb-bug-question", "data-kernel": this.closed },
      (this.question = html("h2", { id })),
      this.options,
      html("div", { class: "bpnb-controls" }, ...buttons),
    );
  }

  /** The levels, whose names are others where a line is asked for. */
  updateLevel() {
    if (this.levelsOf !== this.scene.asks) {
      this.level.replaceChildren(this.controls.choice("level", "level", this.scene.levels));
      this.levelsOf = this.scene.asks;
    }
    this.controls.update();
    this.course.lastChild.value = this.model.get("course");
  }

  /** A radio button with what it stands for. */
  option(id, ...content) {
    const name = `${this.options.id}-${this.model.get("round")}`;
    const input = html("input", { type: "radio", name, onchange: () => this.updateButtons() });
    const mark = html("b");
    const label = html("label", {}, input, ...content, mark);
    this.choices.push({ id, input, mark, label });
    return label;
  }

  buildOptions() {
    const { choices } = this.scene;
    this.choices = [];
    if (this.asksLine) {
      this.buildLines(choices[0].choices.map(({ id }) => id));
      return;
    }
    const label = ({ id, title }) => this.option(id, html("span", {}, title));
    const stage = ({ stage, choices }) =>
      html("fieldset", {}, html("legend", {}, stage), ...choices.map(label));
    const many = choices.length > 1;
    this.options.classList.toggle("bpnb-bug-many", many);
    this.options.replaceChildren(...(many ? choices.map(stage) : choices[0].choices.map(label)));
  }

  /** The pass, in which those lines that are offered can be picked. */
  buildLines(offered) {
    const line = (text, index) => {
      const id = String(index + 1);
      const indent = text.slice(0, text.length - text.trimStart().length);
      const code = html("code", {}, indent, html("span", {}, text.trimStart()));
      const content = [html("span", { class: "bpnb-bug-number" }, id), code];
      return offered.includes(id) ? this.option(id, ...content) : html("p", {}, ...content);
    };
    this.options.classList.remove("bpnb-bug-many");
    this.options.replaceChildren(...this.scene.code.map(line));
  }

  // -- updating -------------------------------------------------------------

  /** Show a round from its beginning. */
  show() {
    this.scene = this.model.get("scene");
    this.known = 0;
    this.setting.textContent = this.scene.setting;
    this.root.classList.toggle("bpnb-bug-lines", this.asksLine);
    this.question.textContent = this.asksLine
      ? "One line of this backward pass is wrong. Which? Click it."
      : "Which mistake is in this backward pass?";
    this.updateLevel();
    this.buildOptions();
    this.updateOffline();
    this.updatePlay();
    this.updateStep();
    this.update();
  }

  updateStep() {
    if (this.asksLine) {
      for (const name of ["loss", "flow"]) this.places[name].replaceChildren();
      return;
    }
    const { patch, words } = this.scene.frames[this.step];
    for (const name of ["loss", "flow"]) {
      repaint(this.places[name], patched(this.scene[name], patch));
    }
    this.updateReplay(words);
    this.updateHeading();
  }

  updateHeading() {
    const { solution, worth } = this.found;
    const points = worth === 1 ? "point" : "points";
    const epoch = counter("epoch", this.step, this.last);
    this.heading.replaceChildren(
      html("strong", {}, `Round ${this.model.get("round")}`),
      html("span", {}, solution ? "over" : `worth ${worth} ${points}`),
      html("span", {}, `score ${this.model.get("score")}`),
      ...(this.asksLine ? [] : [epoch]),
    );
  }

  update() {
    const { picture: measured, solution } = this.found;
    const numbers = solution?.picture ?? measured ?? this.scene.gradients;
    repaint(this.places.gradients, numbers);
    this.updateOptions();
    this.updateButtons();
    this.updateCode();
    this.updateNotes();
    this.updateHeading();
    if (solution && focusInside(this.root)?.disabled) this.nextButton.focus({ preventScroll: true });
  }

  updateOptions() {
    const tried = this.model.get("tried");
    for (const { id, mark, label } of this.choices) {
      const right = this.found.solution?.id === id;
      const wrong = tried.includes(id) && !right;
      mark.textContent = right ? MARKS.right : wrong ? MARKS.wrong : "";
      label.classList.toggle("bpnb-wrong", wrong);
      label.classList.toggle("bpnb-right", right);
      if (right && this.asksLine) label.after(...this.rightLines());
    }
  }

  /** What should stand in the place of the wrong line, once that is told. */
  rightLines() {
    this.options.querySelectorAll(".bpnb-bug-instead").forEach((each) => each.remove());
    const lines = this.found.solution.code.filter(([kind]) => kind === "right");
    return lines.map(([, text]) =>
      html(
        "p",
        { class: "bpnb-bug-instead" },
        html("span", { class: "bpnb-bug-number" }),
        html("code", {}, text),
        html("b", {}, "should be this"),
      ),
    );
  }

  updateButtons() {
    const { costs, hints } = this.scene;
    const { picture: measured, solution } = this.found;
    const over = solution !== null || (this.closed && this.offline);
    const hint = this.model.get("hints");
    const update = (button, disabled, text, cost) => {
      rest(button, over || disabled);
      button.replaceChildren(text, html("small", {}, cost));
    };
    const { asksLine, chosen } = this;
    const answer = asksLine && chosen ? `Answer: line ${chosen} ` : "Answer ";
    update(this.answerButton, !chosen, answer, `${costs.wrong} if wrong`);
    const measure = asksLine ? "Check the gradients " : "Measure the gradient ";
    update(this.measureButton, measured !== null, measure, costs.measure);
    const next = Math.min(hint + 1, hints);
    update(this.hintButton, hint === hints, `Hint ${next} of ${hints} `, costs.hint);
    update(this.tellButton, false, "Tell me ", "no points");
    this.nextButton.classList.toggle("bpnb-main", solution !== null);
  }

  updateCode() {
    const { solution } = this.found;
    // A line that is to be picked stands in the question.
    const lines = this.asksLine ? [] : solution?.code ?? this.scene.code.map((text) => ["", text]);
    this.code.hidden = lines.length === 0;
    this.root.classList.toggle("bpnb-bug-open", lines.length > 0 && !solution);
    const given = "the pass as NumPy, one sample per column";
    const title = solution ? "the pass, and what is right" : given;
    const line = ([kind, text]) =>
      html(
        "span",
        { class: kind ? `bpnb-line bpnb-bug-${kind}` : "bpnb-line" },
        html("span", { class: "bpnb-bug-sign" }, SIGNS[kind] ?? " "),
        kind ? html("span", { class: "bpnb-live" }, `${kind}: `) : null,
        `${text}\n`,
      );
    this.code.replaceChildren(html("h2", {}, title), html("pre", {}, ...lines.map(line)));
  }

  updateNotes() {
    const notes = this.found.notes.map(({ kind, title, words, formula }) =>
      html(
        "p",
        { class: `bpnb-note bpnb-note-${kind}` },
        html("b", {}, title),
        ` ${words} `,
        formula ? math(formula) : null,
      ),
    );
    const nothing = this.asksLine ? NO_LINE_YET : NOTHING_YET;
    const shown = notes.length ? notes : [html("p", {}, html("em", {}, nothing))];
    this.notes.replaceChildren(html("h2", {}, "what is known"), ...shown);
    const news = notes.slice(this.known).map(({ textContent }) => textContent);
    if (news.length) this.say(news.join(" "));
    this.known = notes.length;
  }

  // -- acting ---------------------------------------------------------------

  get chosen() {
    return this.choices.find(({ input }) => input.checked)?.id;
  }

  answer() {
    if (!this.answerButton.disabled) this.set("answer", this.chosen);
  }

  actions(event) {
    const actions = this.asksLine ? {} : super.actions(event);
    if (this.options.contains(event.target)) {
      actions.Enter = () => this.answer();
      actions.Home = actions.End = undefined;
    }
    return actions;
  }
}
let games = 0;

/** On a page without a kernel: tell what is asked for out of what travels with the page. */
async function standIn({ model }) {
  if (!model.get("sealed")) return;
  const secret = await unsealed(model.get("sealed"));
  const onAsked = () => {
    const [answer, tried, before] = ["answer", "tried", "found"].map((key) => model.get(key));
    if (answer && !tried.includes(answer)) model.set("tried", [...tried, answer]);
    const asked = ["measured", "hints", "tried", "given_up"].map((key) => [key, model.get(key)]);
    const found = reveal(secret, Object.fromEntries(asked));
    if (found.solved && !before.solution) model.set("score", model.get("score") + found.worth);
    model.set("found", found);
  };
  for (const key of ["measured", "hints", "answer", "given_up"]) {
    model.on(`change:${key}`, onAsked);
  }
}

async function initializeGame(context) {
  await standIn(context);
  return clock(context);
}

const widget = live(Game, initializeGame);
export default widget;
