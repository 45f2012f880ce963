// The learner's code with the current expression marked, and the backward pass beside it, which
// grows line by line: as NumPy or as formulas.

import { linkTo, makeStops, named } from "./links.mjs";
import { choice, html, math, panel, scrollInside } from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/**
 * Cut a block of source into parts: one list of them for every line.  A part knows all
 * nodes whose expression covers it, and those of the innermost expression, which are
 * several where a line is executed several times.  A comment belongs to none.
 */
export function cutSource({ lines, comments }, places) {
  const commentAt = new Map(comments); // by line
  return lines.map((line, number) => {
    const text = Array.from(line); // Python counts characters, not halves of them
    const code = text.slice(0, commentAt.get(number)).join("").trimEnd();
    const end = Array.from(code).length;
    const indent = Math.max(text.findIndex((character) => character.trim()), 0);
    const onLine = places
      .filter(({ start, end: stop }) => start[0] <= number && number <= stop[0])
      .map((place) => ({
        ...place,
        from: place.start[0] === number ? place.start[1] : indent,
        to: place.end[0] === number ? place.end[1] : end,
      }))
      .filter(({ from, to }) => from < to);
    const cuts = [0, text.length, ...onLine.flatMap(({ from, to }) => [from, to])];
    const inOrder = [...new Set(cuts)].filter((cut) => cut <= text.length).sort((a, b) => a - b);
    return inOrder.slice(1).map((to, index) => {
      const from = inOrder[index];
      const covering = onLine.filter((p) => p.from <= from && to <= p.to).sort(innerFirst);
      const inner = covering.filter((place) => innerFirst(place, covering[0]) === 0);
      const nodes = (all) => all.map((place) => place.node);
      return { text: text.slice(from, to).join(""), inner: nodes(inner), nodes: nodes(covering) };
    });
  });
}

/** Of expressions around one place, the innermost begins last; of those, it ends first. */
function innerFirst(a, b) {
  const order = ([line, column], [other, otherColumn]) => line - other || column - otherColumn;
  return order(b.start, a.start) || order(a.end, b.end);
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

/** The functions that made the nodes. */
export class Source {
  constructor(view) {
    this.view = view;
    this.spans = []; // each with its nodes
    const blocks = view.scene.code.map((block, index) => this.build(block, index));
    const head = html("h2", {}, "your code");
    const content = [head, html("pre", {}, ...blocks)];
    const label = "your code. Arrow keys move through it.";
    this.element = blocks.length ? panel(label, { "data-names": true }, ...content) : null;
  }

  build(block, index) {
    const { view } = this;
    const places = view.scene.nodes
      .map(({ code }, node) => ({ node, ...code }))
      .filter((place) => place.block === index);
    const seen = new Set(); // the arrow keys stop at an expression's first part
    const build = ({ text, inner, nodes }) => {
      if (!inner.length) return text;
      const link = linkTo(inner);
      const stop = seen.has(link) ? {} : { role: "button", tabindex: -1 };
      seen.add(link);
      const span = html("span", { "data-link": link, ...stop }, text);
      this.spans.push({ span, nodes: new Set(nodes) });
      return span;
    };
    const lines = cutSource(block, places);
    return html(
      "span",
      { class: "bpnb-block", onclick: (event) => view.pick(event) },
      ...lines.map((line) => html("span", { class: "bpnb-line" }, ...line.map(build))),
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

/** The lines of the backward pass; or why there is none. */
export class BackwardPass {
  constructor(view) {
    this.view = view;
    const { frames, note } = view.scene;
    this.lines = frames.flatMap(({ contributions }, step) =>
      contributions.map((contribution) => ({ step, contribution, hidden: null })),
    );
    for (const line of this.lines) {
      const link = `a${line.contribution.parent}`;
      const onclick = () => view.go(line.step);
      line.element = html("span", { class: "bpnb-line", "data-link": link, onclick });
    }
    const values = [["numpy", "NumPy"], ["formulas", "formulas"]];
    const onchange = (notation) => view.set("notation", notation);
    this.choice = choice("as", values, { value: this.notation, onchange });
    this.list = html("pre", {}, ...this.lines.map(({ element }) => element));
    const label = "its backward pass. Arrow keys move through it.";
    const head = html("h2", {}, "its backward pass");
    const parts = this.lines.length
      ? [
          html("div", { class: "bpnb-pass-head" }, head, this.choice),
          panel(label, { "data-names": true }, this.list),
        ]
      : [html("div", { class: "bpnb-pass-head" }, head), html("p", {}, note)];
    const shown = this.lines.length || note;
    this.element = shown ? html("div", { class: "bpnb-pass" }, ...parts) : null;
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
    line.element.replaceChildren(...write(line.contribution, hidden));
  }

  code({ line, names }, hidden) {
    return hidden ? [`${line.match(/^\S+ \S+/)[0]} \u2026`] : named(line, names);
  }

  equation({ target, arrival, rule }, hidden) {
    const [left, right] = [math(target), hidden ? "\u2026" : math(rule)];
    if (!hidden) makeStops(left, right);
    return [left, html("span", {}, arrival === 1 ? "=" : "+="), right];
  }

  update() {
    const { step, veiled } = this.view;
    this.choice.update(this.notation);
    this.list.className = `bpnb-as-${this.notation}`;
    for (const line of this.lines) {
      this.fill(line, veiled && line.step > step);
      line.element.classList.toggle("bpnb-now", line.step === step);
      line.element.classList.toggle("bpnb-later", line.step > step);
    }
  }

  /** Show the last of the current lines if there is room for them all, and the first. */
  scroll() {
    const now = this.lines.filter((line) => line.step === this.view.step);
    for (const line of [now.at(-1), now[0]]) if (line) scrollInside(line.element);
  }
}
