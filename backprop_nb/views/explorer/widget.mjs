// GraphExplorer: a scene comes from Python once; stepping needs no kernel.  The parts of the
// view have modules of their own; here they are put together and kept in step.  The scene is
// ExplorerScene in schema.py.

import { stopBefore } from "./answers.mjs";
import { BackwardPass, Source } from "./code.mjs";
import { passage, stepPast } from "./folding.mjs";
import { Headline } from "./headline.mjs";
import { choose, lightLink, nodesOf, walkNames, watchLinks } from "./links.mjs";
import { NodeNumbers } from "./node_numbers.mjs";
import { Quiz } from "./predict.mjs";
import { Stage } from "./stage.mjs";
import { fillIn, frameWords, nodeWords, stateAt } from "./steps.mjs";
import {
  ARROW_KEYS, Replay, badge, clock, explained, focusInside, heatRamp, html, live, scrollInside,
} from "../view.mjs";

const ROOMY = 760; // in a wider view there is room for the cost

class Explorer extends Replay {
  constructor(model, el) {
    super(model, el);
    this.resize = new ResizeObserver(() => this.fit());
    this.build();
    this.follow(() => this.update(), "step", "selected", "predict");
    this.follow(() => this.updatePlay(), "playing");
    this.follow(() => this.updateQuiz(), "predictions");
    this.follow(() => this.updateNotation(), "notation");
    this.follow(() => this.build(), "scene");
    this.follow(() => this.fillIn(), "told");
    this.follow(() => this.stage.unfold(), "geometry");
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

  /** Keep a node; loosely, until the next step, one under the press that gave the view the focus. */
  select(index, loose = this.enters) {
    this.loose = loose;
    this.set("selected", index === null ? "" : this.scene.nodes[index].name);
  }

  /** A step past a question reveals what it asked for. */
  go(step) {
    if (step > this.step) this.quiz.giveUp();
    super.go(step);
  }

  /** A step passes all frames of a folded group; the slider goes to any one of them. */
  stepBy(way) {
    const to = stepPast(this.scene, this.stage.geometry, this.step, way);
    this.go(way > 0 ? this.quiz.stopBefore(to) : to);
  }

  /** Whether what comes later must not be seen yet. */
  get veiled() {
    return this.quiz.mode !== "off";
  }

  // -- building -------------------------------------------------------------

  build() {
    this.scene = this.model.get("scene");
    fillIn(this.scene, this.model.get("told") ?? {});
    this.quiz = new Quiz(this);
    this.headline = new Headline(this);
    this.stage = new Stage(this);
    this.numbers = new NodeNumbers(this);
    this.source = new Source(this);
    this.backward = new BackwardPass(this);
    const codes = [this.source.element, this.backward.element].filter(Boolean);
    const code = html("div", { class: "bpnb-codes" }, ...codes);
    const panels = html("div", { class: "bpnb-panels" }, this.numbers.element, code);
    const under = html("div", { class: "bpnb-under" }, this.buildLegend(), this.stage.buttons);
    const parts = [this.buildBar(), this.quiz.element, this.stage.element, under];
    const { cost } = this.scene;
    this.cost = cost && this.buildCost(cost);
    this.stand("graph_explorer", this.scene.alt, ...parts, panels, this.cost);
    watchLinks(this.root, (element) => this.light(element));
    this.update();
    this.updatePlay();
    this.resize.disconnect();
    this.resize.observe(this.stage.element);
  }

  /** More has been told: of a group that is opened, or of a step and a node inside of a folded one. */
  fillIn() {
    fillIn(this.scene, this.model.get("told"));
    const before = this.backward.element;
    this.backward = new BackwardPass(this);
    before?.replaceWith(this.backward.element);
    this.stage.passed = null; // any card may have waited for its numbers
    this.update();
    this.headline.makeRoom(true);
  }

  buildBar() {
    const turn = this.scene.frames.findIndex((frame) => frame.phase === "seed");
    const replay = this.buildReplay(turn);
    return html("div", { class: "bpnb-bar" }, ...replay, this.quiz.control, this.headline.element);
  }

  buildLegend() {
    const { legend, marks, nodes } = this.scene;
    this.adjointScale = html("span", {});
    const adjoint = [
      explained(heatRamp("adjoint"), this.adjointScale),
      explained(html("i", { class: "bpnb-empty" }), "not yet known"),
    ];
    const dashed = html("i", { class: "bpnb-dashed" });
    const isConstant = nodes.some(({ kind }) => kind === "constant");
    return html(
      "div",
      { class: "bpnb-legend" },
      explained(heatRamp("value"), `value ${legend.value}`),
      ...adjoint.slice(legend.adjoint ? 0 : 1),
      isConstant && legend.adjoint ? explained(dashed, "constant, no adjoint") : null,
      ...marks.map((style) => explained(badge(style), style.legend)),
    );
  }

  /** What the gradient of this graph costs, backward and forward. */
  buildCost({ headline, bars, sentences, size }) {
    const bar = ({ way, text, share }) => {
      const fill = html("i", { class: `bpnb-cost-${way}`, style: `width:${100 * share}%` });
      const track = html("span", { class: "bpnb-cost-bar" }, fill);
      return [html("span", {}, way), track, html("span", {}, text)];
    };
    const drawn = html("div", { class: "bpnb-cost-bars" }, ...bars.flatMap(bar));
    const told = html("p", {}, sentences, html("small", {}, ` Here: ${size}.`));
    const summary = html("summary", {}, headline);
    return html("details", { class: "bpnb-cost" }, summary, html("div", {}, drawn, told));
  }

  fit() {
    const room = this.stage.element.clientWidth;
    // The cost is open where there is room for it, which only the page knows.
    if (room && this.cost && !this.hasRoom) this.cost.open = room > ROOMY;
    this.hasRoom ||= room > 0;
    this.stage.fit();
    if (!room) return;
    this.headline.makeRoom();
    this.scroll();
  }

  // -- updating -------------------------------------------------------------

  /** What is in the page is changed first; only then is asked where it lies, which is slow. */
  update() {
    const { scene, step } = this;
    if (this.loose && this.state.step !== step) return this.select(null);
    const stays = this.state?.step === step && this.linked?.isConnected;
    const state = (this.state = stateAt(scene, step));
    this.passed = passage(scene, this.stage.geometry, step);
    this.quiz.update();
    const progress = this.progress();
    const { selected } = this;
    const kept = selected === null || this.loose ? "" : `${scene.nodes[selected].name} is kept.`;
    const words = [progress && `${progress}.`, frameWords(scene, state.frame), kept, this.quiz.words()];
    this.updateReplay(words.filter(Boolean).join(" "));
    if (this.quiz.question) this.pause();
    this.headline.update(state.frame, progress);
    this.stage.update(state, this.passed);
    this.numbers.update(selected ?? state.frame.node, state);
    this.source.update(state.frame);
    this.backward.update();
    this.updateScale();
    this.light(stays ? this.linked : null); // what is pointed at gives way to a step
    this.headline.fit();
    this.scroll();
  }

  /** Have the current lines in sight; of the first step the beginning. */
  scroll() {
    if (!this.step) for (const part of this.root.querySelectorAll(".bpnb-codes .bpnb-panel")) part.scrollTop = 0;
    for (const part of [this.numbers, this.backward, this.source]) part.scroll();
  }

  /** After an answer or a hint: all but the question stays as it is. */
  updateQuiz() {
    this.quiz.update();
    this.stage.markAsked();
    this.say(this.quiz.words());
  }

  updateNotation() {
    this.backward.renew();
    this.backward.scroll();
  }

  /** How large adjoints get would give a prediction away. */
  updateScale() {
    const known = !this.veiled || this.step === this.last;
    const scale = known ? this.scene.legend.adjoint : "(scale at the end)";
    this.adjointScale.textContent = `adjoint ${scale}`;
  }

  pause() {
    if (this.model.get("playing")) this.set("playing", false);
  }

  updatePlay() {
    super.updatePlay();
    if (this.quiz.question) this.pause(); // nothing plays past a question
  }

  updateOffline() {
    super.updateOffline();
    this.stage.updateFolding();
  }

  /** Put new content into a part of the view, which keeps the focus, or hands it to what is around it. */
  refill(part, content, around = part) {
    const focused = focusInside(part);
    part.replaceChildren(...content);
    if (focused && focused !== part) around.focus({ preventScroll: true });
  }

  /** In a folded group: its name, and which of its frames this one is. */
  progress() {
    const { cards, card_of: cardOf } = this.stage.geometry;
    const [first, last] = this.passed;
    const { group } = cards[cardOf[this.state.frame.node]] ?? { group: null };
    if (group === null) return "";
    return `${this.scene.groups[group].name}, ${this.step - first + 1} of ${last - first + 1}`;
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
    const { target } = event;
    const actions = super.actions(event);
    if (this.selected !== null) actions.Escape = () => this.select(null);
    if (target === stage.field) actions.Enter = () => stage.find(target.value);
    if (target.matches("select, input[type=text]")) return actions; // these keep their keys
    const card = stage.cards.indexOf(target.closest(".bpnb-card"));
    const from = card >= 0 ? card : stage.tabbable();
    actions.f = () => stage.turnAt(target, from);
    if (target.classList.contains("bpnb-card")) {
      actions.Enter = () => this.select(stage.geometry.cards[card].node);
    }
    Object.assign(actions, this.quiz.actions(event));
    const panel = target.closest("[data-names]");
    if (panel && target !== panel) {
      actions.Enter = () => target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    }
    for (const key of ARROW_KEYS) {
      if (panel) actions[key] = () => this.walkAlong(panel, target, key);
      else if (target.tagName !== "INPUT") actions[key] = () => stage.walk(from, key);
    }
    return actions;
  }

  /** Move over the names of a panel, and say what they stand for. */
  walkAlong(panel, from, key) {
    const now = panel.querySelector(".bpnb-mark[tabindex], .bpnb-now [tabindex]");
    const stop = walkNames(panel, from, key, now);
    if (!stop) return;
    if (stop.closest(".bpnb-panel")) scrollInside(stop);
    const nodes = nodesOf(stop.getAttribute("data-link"));
    this.say(nodes.map((node) => nodeWords(this.scene, node, this.state)).join(". "));
  }
}

/** The step that comes next when the view plays by itself. */
function nextStep(model) {
  const scene = model.get("scene");
  const step = model.get("step");
  const to = stepPast(scene, model.get("geometry"), step, 1);
  return stopBefore(scene, step, to, model.get("predict"), model.get("predictions"));
}

// Named, so that page.mjs can follow in the same script.
const widget = live(Explorer, (context) => clock(context, { nextOf: nextStep }));
export default widget;
