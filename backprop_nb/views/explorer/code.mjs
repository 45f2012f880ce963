// The learner's code with the current expression marked, and the backward pass beside it, which
// grows line by line: as NumPy or as formulas.

import { linkTo } from "./links.mjs";
import { choice, clamp, html, math, panel, scrollInside } from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/**
 * Cut a block of source into pieces: one list of them for every line.  A piece knows
 * all nodes whose expression covers it, and those of the innermost expression, which
 * are several where a line is executed several times.  A comment belongs to none.
 */
export function pieces(lines, places, comments = []) {
  const ends = new Map(comments); // where a line's comment begins, by line
  return lines.map((line, number) => {
    const text = Array.from(line); // Python counts characters, not halves of them
    const indent = text.findIndex((character) => character.trim());
    const code = text.slice(0, ends.get(number)).join("").trimEnd();
    const end = Array.from(code).length;
    const onLine = places
      .filter(({ start, end: to }) => start[0] <= number && number <= to[0])
      .map((place) => ({
        ...place,
        from: place.start[0] === number ? place.start[1] : Math.max(indent, 0),
        to: place.end[0] === number ? place.end[1] : end,
      }))
      .filter(({ from, to }) => from < to);
    const cuts = [...new Set([0, text.length, ...onLine.flatMap((p) => [p.from, p.to])])]
      .filter((cut) => cut <= text.length)
      .sort((a, b) => a - b);
    return cuts.slice(0, -1).map((from, index) => {
      const to = cuts[index + 1];
      const covering = onLine.filter((p) => p.from <= from && to <= p.to).sort(innerFirst);
      const inner = covering.filter((place) => innerFirst(place, covering[0]) === 0);
      const nodes = (all) => all.map((place) => place.node);
      return { text: text.slice(from, to).join(""), inner: nodes(inner), nodes: nodes(covering) };
    });
  });
}

/** Of expressions around one place, the innermost begins last; of those, it ends first. */
function innerFirst(a, b) {
  const order = ([line, column], [otherLine, otherColumn]) => line - otherLine || column - otherColumn;
  return order(b.start, a.start) || order(a.end, b.end);
}

/** An equation as its left side and, from the sign on, its right side. */
export function sides([tag, text, attributes, [row]]) {
  const [rowTag, , rowAttributes, parts] = row;
  const sign = parts.findIndex(([, what]) => what === "=" || what === "+=");
  const side = (children) => [tag, text, attributes, [[rowTag, "", rowAttributes, children.filter(isInked)]]];
  return [side(parts.slice(0, sign)), side([parts[sign]]), side(parts.slice(sign + 1))];
}

const isInked = ([tag], k, all) => tag !== "mspace" || (k > 0 && k < all.length - 1);

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

/** The functions that made the nodes. */
export class Source {
  constructor(view) {
    this.view = view;
    this.spans = [];
    this.marked = [];
    const blocks = view.scene.code.map((block, index) => this.build(block, index));
    this.element = blocks.length
      ? panel("your code. Arrow keys move through it.", { "data-trail": true }, html("h2", {}, "your code"), html("pre", {}, ...blocks))
      : null;
  }

  build(block, index) {
    const { view } = this;
    const places = view.scene.nodes.flatMap(({ code }, node) => (code && code.block === index ? [{ node, ...code }] : []));
    const seen = new Set(); // the arrow keys stop at an expression's first piece
    const piece = ({ text, inner, nodes }) => {
      const link = linkTo(inner);
      const stop = inner.length && !seen.has(link) ? { role: "button", tabindex: -1 } : {};
      seen.add(link);
      const span = html("span", inner.length ? { "data-link": link, ...stop } : {}, text);
      if (inner.length) this.spans.push({ span, nodes: new Set(nodes) });
      return span;
    };
    return html(
      "span",
      { class: "bpnb-block", onclick: (event) => view.pick(event) },
      ...pieces(block.lines, places, block.comments).map((line) => html("span", { class: "bpnb-line" }, ...line.map(piece))),
    );
  }

  /** Mark the expression of a frame. */
  update({ node, phase }) {
    for (const { span } of this.marked) span.classList.remove("bpnb-mark", "bpnb-mark-back");
    this.marked = this.spans.filter(({ nodes }) => nodes.has(node));
    for (const { span } of this.marked) {
      span.classList.add("bpnb-mark");
      span.classList.toggle("bpnb-mark-back", phase !== "forward");
    }
  }

  scroll() {
    if (this.marked.length) scrollInside(this.marked[0].span);
  }
}

const NEAR = 80; // so many lines before and after the current one are in the page
const HEIGHTS = { numpy: 18.75, formulas: 40 }; // of a line in pixels, as in the style sheet

/** The lines of the backward pass; of thousands, those near the current one or the eye. */
export class BackwardPass {
  constructor(view) {
    this.view = view;
    this.entries = view.scene.frames.flatMap(({ gifts }, step) =>
      gifts.map((gift) => ({ step, node: gift.parent, text: gift.line, names: gift.names, formula: gift.formula, line: null })),
    );
    this.list = html("pre", {});
    this.range = [0, 0];
    this.choice = choice("as", [["numpy", "NumPy"], ["formulas", "formulas"]], {
      value: this.notation,
      onchange: (notation) => view.set("notation", notation),
    });
    this.panel = panel("its backward pass. Arrow keys move through it.", { "data-trail": true }, this.list);
    this.panel.addEventListener("scroll", () => this.hold(Math.round(this.panel.scrollTop / this.height) + 7));
    this.element = this.entries.length
      ? html("div", { class: "bpnb-pass" }, html("div", { class: "bpnb-pass-head" }, html("h2", {}, "its backward pass"), this.choice), this.panel)
      : null;
    this.renew();
  }

  get notation() {
    return this.view.model.get("notation") ?? "numpy";
  }

  get height() {
    return HEIGHTS[this.notation];
  }

  /** Write all lines anew, in the notation that is wanted now. */
  renew() {
    const [from, to] = this.range;
    this.choice.update(this.notation);
    this.list.className = `bpnb-as-${this.notation}`;
    this.drop(this.entries.slice(from, to));
    this.range = [0, 0];
    this.hold(Math.round((from + to) / 2));
  }

  build(entry) {
    const { node, step } = entry;
    entry.line = html("span", { class: "bpnb-line", "data-link": `a${node}`, onclick: () => this.view.go(step) });
    entry.hidden = null;
    this.fill(entry);
    return entry.line;
  }

  /** A line to come would give a prediction away: only its left side is shown. */
  fill(entry) {
    const hidden = this.view.veiled && entry.step > this.view.step;
    if (hidden === entry.hidden) return;
    entry.hidden = hidden;
    entry.line.replaceChildren(...(this.notation === "numpy" ? this.code(entry) : this.equation(entry)));
  }

  code({ hidden, text, names }) {
    return hidden ? [`${text.match(/^\S+ \S+/)[0]} \u2026`] : this.view.named(text, names);
  }

  equation({ hidden, formula }) {
    const [left, sign, right] = sides(formula).map(math);
    for (const term of hidden ? [] : [left, right].flatMap((side) => [...side.querySelectorAll("[data-link]")])) {
      term.setAttribute("tabindex", "-1");
    }
    return [left, sign, hidden ? "\u2026" : right];
  }

  /** Have so many lines around one in the page, and as much white space as the others take. */
  hold(middle) {
    const count = this.entries.length;
    const all = count <= 2 * NEAR;
    const [first, last] = all ? [0, count] : [clamp(middle - NEAR, 0, count), clamp(middle + NEAR, 0, count)];
    const [from, to] = this.range;
    const enough = from <= Math.max(0, middle - NEAR / 4) && Math.min(count, middle + NEAR / 4) <= to;
    if (to > 0 && (all || enough)) return;
    this.range = [first, last];
    const { entries } = this;
    this.drop([...entries.slice(from, Math.min(to, first)), ...entries.slice(Math.max(from, last), to)]);
    this.list.style.paddingTop = `${first * this.height}px`;
    this.list.style.paddingBottom = `${(count - last) * this.height}px`;
    this.list.prepend(...entries.slice(first, Math.min(last, from)).map((entry) => this.build(entry)));
    this.list.append(...entries.slice(Math.max(first, to), last).map((entry) => this.build(entry)));
    this.mark();
  }

  drop(entries) {
    for (const entry of entries) entry.line.remove(), (entry.line = null);
  }

  mark() {
    const { step } = this.view;
    for (const entry of this.entries.slice(...this.range)) {
      this.fill(entry);
      entry.line.classList.toggle("bpnb-now", entry.step === step);
      entry.line.classList.toggle("bpnb-later", entry.step > step);
    }
  }

  update() {
    const { step } = this.view;
    this.now = [this.entries.findIndex((entry) => entry.step === step), this.entries.findLastIndex((entry) => entry.step === step)];
    if (this.now[0] >= 0) this.hold(this.now[0]);
    this.mark();
  }

  /** Show the last of the current lines if there is room for them all, and the first. */
  scroll() {
    const [first, last] = this.now;
    if (first < 0) return;
    if (this.entries[last].line) scrollInside(this.entries[last].line);
    scrollInside(this.entries[first].line);
  }
}
