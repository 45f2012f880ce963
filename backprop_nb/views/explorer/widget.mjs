// GraphExplorer: a scene comes from Python once; stepping needs no kernel.  The parts of the
// view have modules of their own; here they are put together and kept in step.

import { cardsOf, passage, stepPast } from "./folding.mjs";
import { choose, cutAtNames, focusInside, lightLink, nodesOf, walkTrail, watchLinks } from "./links.mjs";
import { Quiz, stopBefore } from "./predict.mjs";
import { nodeWords, stateAt } from "./moments.mjs";
import { BackwardPass, Source } from "./code.mjs";
import { NodeNumbers } from "./node_numbers.mjs";
import { Stage } from "./stage.mjs";
import { Replay, badge, clock, html, live, math, scrollInside } from "../view.mjs";

const ROOMY = 760; // in a wider view there is room for the cost

class Explorer extends Replay {
  constructor(model, el) {
    super(model, el);
    this.resize = new ResizeObserver(() => this.fit());
    this.build();
    this.listen("change:step", () => this.update());
    this.listen("change:selected", () => this.update());
    this.listen("change:playing", () => this.updatePlay());
    this.listen("change:predictions", () => this.updateQuiz());
    this.listen("change:predict", () => this.update());
    this.listen("change:notation", () => this.updateNotation());
    this.listen("change:scene", () => this.build());
    this.listen("change:geometry", () => this.stage.unfold());
  }

  dispose() {
    super.dispose();
    this.resize.disconnect();
  }

  get selected() {
    const name = this.model.get("selected");
    const index = name ? this.scene.nodes.findIndex((node) => node.name === name) : -1;
    return index < 0 ? null : index;
  }

  select(index) {
    this.set("selected", index === null ? "" : this.scene.nodes[index].name);
  }

  /** A step past a question reveals what it asked for. */
  go(step) {
    if (step > this.step) this.quiz.giveUp();
    super.go(step);
  }

  /** A step passes all frames of a folded group; the slider goes to any one of them. */
  stepBy(way) {
    const to = stepPast(this.scene, this.stage.geometry, this.stage.cardOf, this.step, way);
    this.go(way > 0 ? this.quiz.stopBefore(to) : to);
  }

  /** Whether what comes later must not be seen yet. */
  get veiled() {
    return this.quiz.mode !== "off";
  }

  // -- building -------------------------------------------------------------

  build() {
    this.scene = this.model.get("scene");
    this.quiz = new Quiz(this);
    this.stage = new Stage(this);
    this.numbers = new NodeNumbers(this);
    this.source = new Source(this);
    this.backward = new BackwardPass(this);
    const codes = [this.source.element, this.backward.element].filter(Boolean);
    const panels = html("div", { class: "bpnb-panels" }, this.numbers.element, html("div", { class: "bpnb-codes" }, ...codes));
    this.stand("graph_explorer", this.scene.alt, this.buildBar(), this.quiz.element, this.stage.element, this.buildLegend(), panels, this.buildCost());
    watchLinks(this.root, (element) => this.light(element));
    this.update();
    this.updatePlay();
    this.resize.disconnect();
    this.resize.observe(this.stage.element);
  }

  buildBar() {
    const turn = this.scene.frames.findIndex((frame) => frame.phase === "seed");
    this.phase = html("strong", {});
    this.count = html("span", { class: "bpnb-count" });
    this.formulas = html("span", {
      class: "bpnb-formulas",
      role: "group",
      tabindex: 0,
      "data-trail": true,
      "aria-label": "Formula of this step. Arrow keys move over its terms.",
      onclick: (event) => this.pick(event),
    });
    this.passing = html("span", { class: "bpnb-passing" });
    this.title = html("div", { class: "bpnb-title" }, this.phase, this.count, this.passing, this.formulas);
    return html("div", { class: "bpnb-bar" }, ...this.buildReplay(turn), this.quiz.control, this.title);
  }

  buildLegend() {
    const scale = (family, text) =>
      html("span", { class: "bpnb-scale" }, html("i", { class: `bpnb-ramp bpnb-ramp-${family}` }), text);
    this.adjointScale = html("span", {});
    return html(
      "div",
      { class: "bpnb-legend" },
      scale("value", `value ${this.scene.legend.value}`),
      scale("adjoint", this.adjointScale),
      html("span", { class: "bpnb-scale" }, html("i", { class: "bpnb-empty" }), "not yet known"),
      html("span", { class: "bpnb-scale" }, html("i", { class: "bpnb-dashed" }), "constant, no adjoint"),
      ...(this.scene.marks ?? []).map((look) => html("span", { class: "bpnb-scale" }, badge(look), look.legend)),
    );
  }

  /** What the gradient of this graph costs, backward and forward. */
  buildCost() {
    const { headline, bars, sentences, size } = this.scene.cost;
    const bar = ({ way, text, share }) => [
      html("span", {}, way),
      html("span", { class: "bpnb-cost-bar" }, html("i", { class: `bpnb-cost-${way}`, style: `width:${100 * share}%` })),
      html("span", {}, text),
    ];
    this.cost = html(
      "details",
      { class: "bpnb-cost" },
      html("summary", {}, headline),
      html("div", {}, html("div", { class: "bpnb-cost-bars" }, ...bars.flatMap(bar)), html("p", {}, sentences, html("small", {}, ` Here: ${size}.`))),
    );
    this.cost.room = null; // open where there is room for it, which only the page knows
    return this.cost;
  }

  /** A text whose names are linked to their nodes. */
  named(text, names) {
    return cutAtNames(text, names).map(([piece, link]) =>
      link ? html("span", { "data-link": link, role: "button", tabindex: -1 }, piece) : piece,
    );
  }

  fit() {
    const room = this.stage.element.clientWidth;
    if (room && this.cost.room === null) this.cost.open = room > ROOMY;
    this.cost.room ??= room || null;
    this.stage.fit();
    if (room) this.scroll();
  }

  // -- updating -------------------------------------------------------------

  /** What is in the page is changed first, and only then is asked where it lies, which is slow. */
  update() {
    const { scene, step } = this;
    const state = (this.state = stateAt(scene, step));
    this.passed = passage(scene, this.stage.geometry, this.stage.cardOf, step);
    this.quiz.update();
    this.updateReplay([this.frameWords(state), this.quiz.words()].filter(Boolean).join(" "));
    if (this.quiz.question) this.pause();
    this.updateTitle(state);
    this.stage.update(state, this.passed);
    this.numbers.update(this.selected ?? state.frame.node, state);
    this.source.update(state.frame);
    this.backward.update();
    this.updateScale();
    this.light(this.linked?.isConnected ? this.linked : null);
    this.scroll();
  }

  /** Have the current lines in sight. */
  scroll() {
    this.backward.scroll();
    this.source.scroll();
  }

  /** After an answer or a hint: all but the question stays as it is. */
  updateQuiz() {
    this.quiz.update();
    this.stage.markAsked();
    this.say(this.quiz.words());
  }

  updateNotation() {
    this.backward.renew();
    this.backward.update();
    this.backward.scroll();
  }

  /** How large adjoints get would give a prediction away. */
  updateScale() {
    const known = !this.veiled || this.step === this.last;
    this.adjointScale.textContent = known ? `adjoint ${this.scene.legend.adjoint}` : "adjoint (scale at the end)";
  }

  pause() {
    if (this.model.get("playing")) this.set("playing", false);
  }

  updatePlay() {
    super.updatePlay();
    if (this.quiz.question) this.pause(); // nothing plays past a question
  }

  updateAlone() {
    super.updateAlone();
    this.stage.updateFolding();
  }

  /** Put new content into a part of the view, which keeps the focus if it has it. */
  refill(part, content) {
    const focused = focusInside(part);
    part.replaceChildren(...content);
    if (focused && focused !== part) part.focus({ preventScroll: true });
  }

  /** The words of a frame; where it is one of a folded group's, with the place in it. */
  frameWords({ frame }) {
    const progress = this.progress();
    return progress ? `${progress} ${frame.words}` : frame.words;
  }

  progress() {
    const { geometry, cardOf } = this.stage;
    const [first, last] = this.passed;
    const card = this.state.frame.node === null ? null : geometry.cards[cardOf[this.state.frame.node]];
    if (!card || card.group === undefined) return "";
    return `${this.scene.groups[card.group].name}, ${this.step - first + 1} of ${last - first + 1}.`;
  }

  updateTitle({ frame }) {
    const back = frame.phase === "seed" || frame.phase === "backward";
    this.phase.textContent = { start: "Start", forward: "Forward" }[frame.phase] ?? "Backward";
    this.phase.className = back ? "bpnb-back" : "bpnb-forth";
    this.count.textContent = `step ${this.step} of ${this.last}`;
    this.passing.textContent = this.progress().slice(0, -1);
    this.refill(this.formulas, this.formulasOf(frame));
    for (const term of this.formulas.querySelectorAll("[data-link]")) term.setAttribute("tabindex", "-1");
  }

  formulasOf({ phase, node: index, gifts }) {
    const node = this.scene.nodes[index];
    if (phase === "start") return ["the inputs are known, nothing is computed yet"];
    if (phase === "seed") return [html("span", { "data-link": `a${index}` }, `the adjoint of ${node.name} itself is 1`)];
    if (phase === "forward") return [html("span", {}, math(node.title), " = ", math(node.formula))];
    return gifts.map((gift) => html("span", {}, math(gift.formula)));
  }

  /** Light what is linked to an element, and the ancestors and descendants of its nodes. */
  light(element) {
    const link = element?.getAttribute("data-link") ?? null;
    if (!link && !this.linked) return;
    this.linked = element;
    lightLink(this.root, link);
    this.stage.light(link ? nodesOf(link) : null);
  }

  /** Keep the numbers in view of what was clicked. */
  pick(event) {
    const link = event.target.closest("[data-link]")?.getAttribute("data-link");
    if (link) this.select(choose(nodesOf(link), this.selected, this.state.frame.node));
  }

  // -- keys -----------------------------------------------------------------------

  actions(event) {
    const { stage } = this;
    const card = stage.cards.indexOf(event.target.closest(".bpnb-card"));
    const from = card >= 0 ? card : stage.tabbable();
    const actions = super.actions(event);
    actions.Escape = () => this.select(null);
    if (event.target.matches("select, input[type=text]")) return actions; // these keep their keys
    actions.f = () => stage.turnAt(event.target, from);
    if (event.target.classList.contains("bpnb-card")) actions.Enter = () => this.select(stage.geometry.cards[card].node);
    Object.assign(actions, this.quiz.actions(event));
    const trail = event.target.closest("[data-trail]");
    if (trail && event.target !== trail) actions.Enter = () => event.target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) {
      if (trail) actions[key] = () => this.walkAlong(trail, event.target, key);
      else if (event.target.tagName !== "INPUT") actions[key] = () => stage.walk(from, key);
    }
    return actions;
  }

  /** Move over the names of a panel, and say what they stand for. */
  walkAlong(trail, from, key) {
    const now = trail.querySelector(".bpnb-mark[tabindex], .bpnb-now [tabindex]");
    const stop = walkTrail(trail, from, key, now);
    if (!stop) return;
    if (stop.closest(".bpnb-panel")) scrollInside(stop);
    this.say(nodesOf(stop.getAttribute("data-link")).map((node) => nodeWords(this.scene, node, this.state)).join(". "));
  }
}

/** The step that comes next when the view plays by itself. */
function nextStep(model) {
  const scene = model.get("scene");
  const geometry = model.get("geometry");
  const step = model.get("step");
  const to = stepPast(scene, geometry, cardsOf(scene, geometry), step, 1);
  return stopBefore(scene, step, to, model.get("predict"), model.get("predictions"));
}

// Named, so that page.mjs can follow in the same script.
const widget = live(Explorer, (context) => clock(context, { nextOf: nextStep }));
export default widget;
