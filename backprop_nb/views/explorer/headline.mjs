// The headline of an explorer: which step this is, and its formula.  It is as high at each step as
// the highest formula needs, so that nothing below it moves.

import { equation, makeStops } from "./links.mjs";
import { isTold } from "./steps.mjs";
import { filled, html, math } from "../view.mjs";

const SMALLEST = 0.7; // the scale at which a formula that is too long is still read
const GAPS = 12; // what else a row has, in pixels

/** A hundred times as wide as the type of formulas is high. */
const typeRuler = () => html("span", { style: "width:calc(100 * var(--bpnb-math))" });

export class Headline {
  constructor(view) {
    this.view = view;
    this.phase = html("strong", {});
    this.count = this.counted(0);
    this.passing = html("span", { class: "bpnb-passing" });
    this.formulas = html("span", {
      class: "bpnb-formulas",
      role: "group",
      tabindex: 0,
      "data-names": true,
      "aria-label": "Formula of this step. Arrow keys move over its terms.",
      onclick: (event) => view.pick(event),
      onscroll: () => this.markRest(),
    });
    const parts = [this.phase, this.count, this.passing, this.formulas];
    this.element = html("div", { class: "bpnb-title" }, ...parts);
  }

  counted(step) {
    return html("span", { class: "bpnb-count" }, `step ${step} of ${this.view.last}`);
  }

  update(frame, progress) {
    const { view } = this;
    const back = frame.phase === "seed" || frame.phase === "backward";
    this.phase.textContent = { start: "Start", forward: "Forward" }[frame.phase] ?? "Backward";
    this.phase.className = back ? "bpnb-back" : "bpnb-forth";
    this.count.textContent = this.counted(view.step).textContent;
    this.element.classList.toggle("bpnb-long", view.stage.geometry.folded.length > 0);
    this.passing.textContent = progress;
    view.refill(this.formulas, this.formulasOf(frame));
    makeStops(this.formulas);
  }

  formulasOf({ phase, node: index, contributions, words }) {
    if (phase === "start") return [words.at(-1)];
    const { scene } = this.view;
    const { name, text, title, formula } = scene.nodes[index];
    if (phase === "forward") {
      if (!formula) return [text ? `${name}: ${text}` : `${name}, folded away`];
      const [left, right] = [title, formula].map((one) => math(filled(scene, one)));
      return [html("span", {}, left, " = ", right)];
    }
    if (phase === "backward") return contributions.filter(isTold).map((one) => equation(scene, one));
    return [html("span", { "data-link": `a${index}` }, `the adjoint of ${name} itself is 1`)];
  }

  // -- room for all formulas ------------------------------------------------------

  /** Measure the formulas of all steps: the width and the height of the largest. */
  measure() {
    const { frames, nodes } = this.view.scene;
    // Formulas of one shape differ in the numbers of their names alone.
    const shapes = ({ phase, node, contributions }) =>
      phase === "forward"
        ? [nodes[node].title?.[0], nodes[node].formula?.[0]]
        : contributions.filter(isTold).flatMap(({ target, rule }) => [target[0], rule[0]]);
    const shown = frames.filter(({ phase }) => phase === "forward" || phase === "backward");
    const different = new Map(shown.map((frame) => [`${frame.phase} ${shapes(frame)}`, frame]));
    const rows = [...different.values()].map((frame) => html("span", {}, ...this.formulasOf(frame)));
    const type = this.sizeOf(typeRuler())[0] / 100;
    const [width, height] = this.sizeOf(...rows).map((size) => size / type);
    this.width = width;
    this.element.style.setProperty("--high", height.toFixed(3));
  }

  /** The width and the height of the largest of some elements, laid out for a moment. */
  sizeOf(...elements) {
    const probe = html("span", { class: "bpnb-probe", "aria-hidden": "true" }, ...elements);
    this.element.append(probe);
    const sizes = ["offsetWidth", "offsetHeight"].map((size) => Math.max(0, ...elements.map((each) => each[size])));
    probe.remove();
    return sizes;
  }

  /** Make room: a row of its own, if the longest formula would be too small beside the rest. */
  makeRoom(anew = this.width === undefined) {
    const { element, view } = this;
    if (!element.clientWidth) return;
    if (anew) this.measure();
    element.classList.remove("bpnb-own-row");
    const widest = [html("strong", {}, "Backward"), this.counted(view.last)];
    const room = element.clientWidth - this.sizeOf(html("span", {}, ...widest))[0] - GAPS;
    const needed = (this.width * this.sizeOf(typeRuler())[0]) / 100;
    element.classList.toggle("bpnb-own-row", needed * SMALLEST > room);
    this.fit();
  }

  /** A formula that is too large gets smaller; what is still too long is scrolled. */
  fit() {
    const { formulas } = this;
    const { style, children, clientWidth } = formulas;
    style.removeProperty("--fit");
    const higher = () => formulas.clientHeight / Math.max(...[...children].map((each) => each.offsetHeight));
    // More than once, as gaps keep their size, and a bar to scroll by takes of the height.
    for (let fit = 1, turn = 0; clientWidth && children.length && turn < 4; turn++) {
      const [across, down] = [clientWidth / formulas.scrollWidth, higher()];
      const factor = Math.min(1, down, Math.max(across, SMALLEST / fit));
      if (factor === 1) break;
      fit *= factor * 0.99;
      style.setProperty("--fit", fit);
    }
    formulas.scrollLeft = 0;
    this.markRest();
  }

  /** Let it be seen that a formula goes on. */
  markRest() {
    const { scrollLeft, clientWidth, scrollWidth, classList } = this.formulas;
    classList.toggle("bpnb-beyond", scrollWidth - scrollLeft - clientWidth > 1);
  }
}
