// The learner's code with the current expression marked, and the backward pass beside it, which
// grows line by line: as NumPy or as formulas.

import { linkTo, makeStops, named, sides } from "./links.mjs";
import { isTold } from "./steps.mjs";
import { choice, html, panel, runs, scrollInside } from "../view.mjs";

/** A part under its heading, of which what follows scrolls by whole lines. */
const headedPass = (title, more, ...content) =>
  html("div", { class: "bpnb-pass" }, html("div", { class: "bpnb-pass-head" }, html("h2", {}, title), ...more), ...content);

/** The functions that made the nodes. */
export class Source {
  constructor(view) {
    this.view = view;
    this.spans = []; // each with its nodes
    const blocks = view.scene.code.map((block) => this.build(block));
    const { missing_source: missing, code } = view.scene;
    const whose = code.some(({ own }) => own) || !code.length ? "your code" : "the library's code";
    const content = [
      missing ? html("p", {}, missing) : null,
      blocks.length ? panel(`${whose}. Arrow keys move through it.`, { "data-names": true }, html("pre", {}, ...blocks)) : null,
    ];
    this.element = content.some(Boolean) ? headedPass(whose, [], ...content) : null;
  }

  build({ lines, first }) {
    const seen = new Set(); // the arrow keys stop at the first part of an expression
    const build = ({ text, inner, nodes }) => {
      if (!inner.length) return text;
      const link = linkTo(inner);
      const stop = seen.has(link) ? {} : { role: "button", tabindex: -1 };
      seen.add(link);
      const span = html("span", { "data-link": link, ...stop }, text);
      this.spans.push({ span, nodes: new Set(nodes) });
      return span;
    };
    return html(
      "span",
      { class: "bpnb-block", style: `--before:${first - 1}`, onclick: (event) => this.view.pick(event) },
      ...lines.map((parts) => html("span", { class: "bpnb-line" }, ...parts.map(build))),
    );
  }

  /** Mark the expression of a frame. */
  update({ node, phase }) {
    for (const { span, nodes } of this.spans) {
      span.classList.toggle("bpnb-mark", nodes.has(node));
      span.classList.toggle("bpnb-mark-back", nodes.has(node) && phase !== "forward");
    }
    this.marked = this.spans.find(({ nodes }) => nodes.has(node))?.span;
  }

  scroll() {
    if (this.marked) scrollInside(this.marked);
  }
}

const CHUNK = 40; // lines: a change in one is laid out with so many others

/** Lines in chunks, of which the style sheet has the browser pass over those out of sight. */
const chunks = (lines) =>
  runs(lines, CHUNK).map((some) => html("span", { class: "bpnb-chunk", style: `--lines:${some.length}` }, ...some));

/** The elements of lines; where some are folded away it says how many. */
function withGaps(lines) {
  const found = [];
  for (const { element } of lines) {
    const last = found.at(-1);
    if (element) found.push(element);
    else if (last?.away) last.textContent = `⋯ ${++last.away} lines are folded away`;
    else found.push(Object.assign(html("span", { class: "bpnb-line bpnb-later" }, "⋯ 1 line is folded away"), { away: 1 }));
  }
  return found;
}

/** The lines of the backward pass; or why there is none. */
export class BackwardPass {
  constructor(view) {
    this.view = view;
    const { frames, note } = view.scene;
    const all = frames.flatMap(({ contributions }, step) =>
      contributions.map((contribution) => ({ step, contribution, hidden: null })),
    );
    this.lines = all.filter(({ contribution }) => isTold(contribution));
    for (const line of this.lines) {
      const link = `a${line.contribution.parent}`;
      const onclick = () => view.go(line.step);
      line.element = html("span", { class: "bpnb-line", "data-link": link, onclick });
    }
    const values = [["numpy", "NumPy"], ["formulas", "formulas"]];
    const onchange = (notation) => view.set("notation", notation);
    this.choice = choice("as", values, { value: this.notation, onchange });
    this.list = html("pre", {}, ...chunks(withGaps(all)));
    const label = "its backward pass. Arrow keys move through it.";
    const title = "its backward pass";
    if (this.lines.length) this.element = headedPass(title, [this.choice], panel(label, { "data-names": true }, this.list));
    else this.element = note ? headedPass(title, [], html("p", {}, note)) : null;
  }

  get notation() {
    return this.view.model.get("notation") ?? "numpy";
  }

  /** Write all lines anew, in the notation that is wanted now. */
  renew() {
    for (const line of this.lines) line.hidden = null;
    this.update();
  }

  /** A line to come would give a prediction away: only its left side is shown. */
  fill(line, hidden) {
    if (line.hidden === hidden) return;
    line.hidden = hidden;
    const write = this.notation === "numpy" ? this.code : this.equation;
    line.element.replaceChildren(...write.call(this, line.contribution, hidden));
  }

  code({ line, names }, hidden) {
    return hidden ? [`${line.match(/^\S+ \S+/)[0]} …`] : named(line, names);
  }

  equation(contribution, hidden) {
    const [left, sign, right] = sides(this.view.scene, contribution);
    if (hidden) return [left, sign, "…"];
    makeStops(left, right);
    return [left, sign, right];
  }

  update() {
    const { step, veiled } = this.view;
    this.choice.update(this.notation);
    this.list.className = `bpnb-as-${this.notation}`;
    for (const line of this.lines) {
      this.fill(line, veiled && line.step > step);
      const when = Math.sign(line.step - step);
      if (line.when === when) continue;
      line.when = when;
      line.element.classList.toggle("bpnb-now", when === 0);
      line.element.classList.toggle("bpnb-later", when > 0);
    }
  }

  /** Show the last of the current lines if there is room for them all, and the first. */
  scroll() {
    const now = this.lines.filter((line) => line.step === this.view.step);
    for (const line of [now.at(-1), now[0]]) if (line) scrollInside(line.element);
  }
}
