// FindTheBug: a broken backward pass, and the question what is wrong with it.

import { Replay, choice, clock, html, live, math, panel, patched, picture } from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** What a page without a kernel may tell, unscrambled; null if there is nothing. */
export function unsealed({ key, text } = {}) {
  if (!text) return null;
  const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const [with_, mixed] = [bytes(key), bytes(text)];
  return JSON.parse(new TextDecoder().decode(mixed.map((byte, k) => byte ^ with_[k % with_.length])));
}

/** What has been asked for, of all that may be told, and nothing else. */
export function told(secret, { measured, hints, tried, givenUp }) {
  const verdicts = tried.map((id) => secret.verdicts[id]);
  return {
    measured: measured ? secret.measured : null,
    hints: secret.hints.slice(0, hints),
    verdicts,
    solution: givenUp || verdicts.some(({ right }) => right) ? secret.solution : null,
  };
}

/** What a right answer is worth by now. */
export function worth(points, { measured, hints, wrong }) {
  const lost = points.measure * measured + points.hint * hints + points.wrong * wrong;
  return Math.max(points.least, points.start - lost);
}

/** The choices by the stage of the pass, in the order of the stages; each with its number. */
export function byStage(choices) {
  const stages = new Map();
  choices.forEach(({ stage }, k) => stages.set(stage, [...(stages.get(stage) ?? []), k]));
  return [...stages];
}

export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const LEVELS = [
  ["easy", "with code"],
  ["medium", "six choices"],
  ["hard", "all mistakes"],
];

class Game extends Replay {
  constructor(model, el) {
    super(model, el);
    this.closed = !model.get("sealed")?.text; // then only a kernel knows
    this.build();
    this.show();
    for (const key of ["step", "playing", "scene", "found", "score", "round"]) {
      this.listen(`change:${key}`, () => this.follow(key));
    }
  }

  get found() {
    return this.model.get("found");
  }

  get right() {
    return this.found.verdicts.some(({ right }) => right);
  }

  // -- building -------------------------------------------------------------

  build() {
    const kernel = this.closed ? { "data-kernel": true } : {};
    const button = (text, action) => html("button", { type: "button", onclick: action }, text);
    this.heading = html("div", { class: "bpnb-title bpnb-bug-title" });
    this.level = choice("level", LEVELS, { value: this.model.get("level"), onchange: (level) => this.set("level", level) });
    this.nextButton = button("Next round", () => this.set("round", this.model.get("round") + 1));
    this.places = { loss: html("div", {}), flow: html("div", {}), gradients: html("div", { class: "bpnb-bug-gradients" }) };
    this.question = html("h2", { id: `bpnb-bug-${++games}` }, "Which mistake is in this backward pass?");
    this.options = html("div", { class: "bpnb-bug-options", role: "group", "aria-labelledby": this.question.id });
    this.answerButton = button("Answer", () => this.answer());
    this.measureButton = button("Measure", () => this.set("measured", true));
    this.hintButton = button("Hint", () => this.set("hints", this.model.get("hints") + 1));
    this.tellButton = button("Tell me", () => this.set("given_up", true));
    this.answerButton.classList.add("bpnb-main");
    this.setting = html("p", { class: "bpnb-bug-setting" });
    this.code = panel("The pass as NumPy", { class: "bpnb-bug-code" });
    this.notes = panel("Hints and answers", { class: "bpnb-bug-notes" });
    this.stand(
      "find_the_bug",
      "Find the bug",
      html(
        "div",
        { class: "bpnb-bar" },
        ...this.buildReplay(),
        this.heading,
        html("span", { "data-kernel": true }, this.level),
        html("span", { "data-kernel": true }, this.nextButton),
      ),
      this.setting,
      html(
        "div",
        { class: "bpnb-bug-body" },
        html("div", { class: "bpnb-bug-evidence" }, this.places.loss, this.places.flow, this.places.gradients),
        html(
          "div",
          { class: "bpnb-bug-below" },
          html(
            "div",
            { class: "bpnb-panel bpnb-bug-question" },
            this.question,
            html("div", kernel, this.options, html("div", { class: "bpnb-controls" }, this.answerButton, this.measureButton, this.hintButton, this.tellButton)),
          ),
          this.code,
          this.notes,
        ),
      ),
    );
  }

  buildOptions() {
    const group = `${this.question.id}-${this.model.get("round")}`;
    this.inputs = this.scene.choices.map(({ id }) => html("input", { type: "radio", name: group, value: id, onchange: () => this.update() }));
    this.marks = this.scene.choices.map(() => html("b", {}));
    const stages = byStage(this.scene.choices);
    const label = (k) => html("label", {}, this.inputs[k], html("span", {}, this.scene.choices[k].title), this.marks[k]);
    const field = ([stage, numbers]) => html("fieldset", {}, html("legend", {}, stage), ...numbers.map(label));
    this.options.classList.toggle("bpnb-bug-many", stages.length > 1);
    this.options.replaceChildren(...(stages.length > 1 ? stages.map(field) : stages[0][1].map(label)));
    this.updateAlone();
  }

  // -- updating -------------------------------------------------------------

  follow(key) {
    if (key === "playing") return this.updatePlay();
    if (key === "step") return this.updateStep();
    if (key !== "scene") return this.update();
    this.scene = this.model.get("scene");
    this.show();
  }

  /** Show a round from its beginning. */
  show() {
    this.told = 0;
    this.level.update(this.model.get("level"));
    this.setting.textContent = this.scene.setting;
    this.root.classList.toggle("bpnb-bug-open", this.scene.code.length > 0);
    this.buildOptions();
    this.slider.max = this.last;
    this.updatePlay();
    this.updateStep();
    this.update();
  }

  updateStep() {
    const { patch, words } = this.scene.frames[this.step];
    for (const name of ["loss", "flow"]) this.places[name].replaceChildren(picture(patched(this.scene[name], patch)));
    this.updateReplay(words);
    this.updateHeading();
  }

  updateHeading() {
    const round = this.model.get("round");
    const now = this.found.solution ? "over" : `worth ${plural(this.worth, "point")}`;
    this.heading.replaceChildren(
      html("strong", {}, `Round ${round}`),
      html("span", {}, now),
      html("span", {}, `score ${this.model.get("score")}`),
      html("span", { class: "bpnb-count" }, `epoch ${this.step} of ${this.last}`),
    );
  }

  get worth() {
    const { measured, hints, verdicts } = this.found;
    const wrong = verdicts.filter(({ right }) => !right).length;
    return worth(this.scene.points, { measured: Number(measured !== null), hints: hints.length, wrong });
  }

  update() {
    const { measured, solution } = this.found;
    this.places.gradients.replaceChildren(picture(measured ? measured.picture : this.scene.gradients));
    this.updateOptions();
    this.updateButtons();
    this.updateCode();
    this.updateNotes();
    this.updateHeading();
    if (solution && this.root.contains(document.activeElement) && document.activeElement.disabled) this.nextButton.focus();
  }

  updateOptions() {
    const tried = this.model.get("tried");
    this.scene.choices.forEach(({ id }, k) => {
      const place = tried.indexOf(id);
      const right = this.found.solution?.id === id;
      const wrong = place >= 0 && !right;
      this.marks[k].textContent = right ? "\u2713 this one" : wrong ? "\u2717 not this" : "";
      this.marks[k].parentElement.classList.toggle("bpnb-wrong", wrong);
      this.marks[k].parentElement.classList.toggle("bpnb-right", right);
    });
  }

  updateButtons() {
    const { points } = this.scene;
    const { measured, hints, solution } = this.found;
    const over = solution !== null || (this.closed && this.alone);
    const cost = (count) => `${plural(count, "point")} less`;
    this.answerButton.disabled = over || !this.chosen;
    this.measureButton.disabled = over || measured !== null;
    this.hintButton.disabled = over || hints.length === 3;
    this.tellButton.disabled = over;
    this.measureButton.replaceChildren("Measure the gradient ", html("small", {}, cost(points.measure)));
    this.hintButton.replaceChildren(`Hint ${Math.min(hints.length + 1, 3)} of 3 `, html("small", {}, cost(points.hint)));
    this.tellButton.replaceChildren("Tell me ", html("small", {}, "no points"));
    this.nextButton.classList.toggle("bpnb-main", solution !== null);
  }

  updateCode() {
    const { solution } = this.found;
    const lines = solution ? solution.code : this.scene.code.map((text) => ["", text]);
    this.code.hidden = lines.length === 0;
    const signs = { wrong: "\u2717", right: "\u2713" };
    this.code.replaceChildren(
      html("h2", {}, solution ? "the pass, and what is right" : "the pass as NumPy, one sample per column"),
      html(
        "pre",
        {},
        ...lines.map(([kind, text]) =>
          html(
            "span",
            { class: `bpnb-line ${kind ? `bpnb-bug-${kind}` : ""}` },
            html("span", { class: "bpnb-bug-sign" }, signs[kind] ?? " "),
            kind ? html("span", { class: "bpnb-live" }, `${kind}: `) : null,
            `${text}\n`,
          ),
        ),
      ),
    );
  }

  updateNotes() {
    const { measured, hints, verdicts, solution } = this.found;
    const note = (kind, title, text) => html("p", { class: `bpnb-note bpnb-note-${kind}` }, html("b", {}, title), " ", text);
    const notes = [
      ...(measured ? [note("measured", "Measured", measured.words)] : []),
      ...hints.map((text, k) => note("hint", `Hint ${k + 1}`, text)),
      ...verdicts.map(({ right, words }) => note(right ? "right" : "wrong", right ? "\u2713" : "\u2717", words)),
      ...(solution ? this.explanation(solution, note) : []),
    ];
    const empty = html("p", {}, html("em", {}, "Watch the training, compare the lengths, look at the numbers. At epoch 0 both passes stand at the same weights. What you ask for appears here."));
    this.notes.replaceChildren(html("h2", {}, "what is known"), ...(notes.length ? notes : [empty]));
    if (notes.length > this.told) {
      const news = notes.slice(this.told).map((each) => each.textContent);
      this.say(news.join(" "));
    }
    this.told = notes.length;
  }

  explanation({ title, explanation, first, equation }, note) {
    const parts = [this.right ? "" : `It is: ${title}. `, explanation, " ", first].join("");
    const told = note("told", "Why", parts);
    if (!equation) return [told];
    const formula = html("p", { class: "bpnb-note" }, `It breaks equation [${equation.tag}]: `, math(equation.formula));
    return [told, formula];
  }

  // -- acting ---------------------------------------------------------------

  get chosen() {
    return this.inputs.find((input) => input.checked)?.value;
  }

  answer() {
    if (!this.answerButton.disabled) this.set("answer", this.chosen);
  }

  loseKernel() {
    super.loseKernel();
    this.updateButtons();
  }

  actions(event) {
    const actions = super.actions(event);
    if (this.inputs.includes(event.target)) {
      actions.Enter = () => this.answer();
      actions.Home = actions.End = undefined;
    }
    return actions;
  }
}
let games = 0;

/** On a page without a kernel: tell what is asked for out of what travels with the page. */
function standIn({ model }) {
  const secret = unsealed(model.get("sealed"));
  if (!secret) return;
  const onAsked = () => {
    const answer = model.get("answer");
    const before = model.get("tried");
    const tried = answer && !before.includes(answer) ? [...before, answer] : before;
    const asked = { measured: model.get("measured"), hints: model.get("hints"), givenUp: model.get("given_up") };
    const found = told(secret, { ...asked, tried });
    const solved = found.verdicts.some(({ right }) => right);
    model.set("tried", tried);
    if (solved && !model.get("found").solution) {
      const wrong = tried.length - 1;
      const won = worth(model.get("scene").points, { ...asked, measured: Number(asked.measured), wrong });
      model.set("score", model.get("score") + won);
    }
    model.set("found", found);
  };
  for (const key of ["measured", "hints", "answer", "given_up"]) model.on(`change:${key}`, onAsked);
}

function initializeGame(context) {
  standIn(context);
  return clock(context);
}

const widget = live(Game, initializeGame);
export default widget;
