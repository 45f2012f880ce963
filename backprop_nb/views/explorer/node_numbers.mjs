// The numbers of one node in the order of the event: how it is computed; what it receives on the
// way back, how that adds up, what it hands on.

import { cutAtNames, linkOf, linkTo, named, nodesOf } from "./links.mjs";
import { arrivals, handedOn, isTold, marksAt } from "./steps.mjs";
import {
  badge,
  big,
  counted,
  focusInside,
  html,
  labelled,
  level,
  nameParts,
  operator,
  panel,
  scrollInside,
  upright,
} from "../view.mjs";

const INPUTS = 8; // so many inputs are shown at the start
const TERMS = 8; // so many contributions are shown one by one
const OPERANDS = 4; // so many names of an expression are shown as tables: more would hide it
const ROOM = 120; // the largest side of a map, in pixels

export class NodeNumbers {
  constructor(view) {
    this.view = view;
    this.keeps = html("span", {});
    const release = { type: "button", title: "Escape", onclick: () => view.select(null) };
    const follow = html("button", release, "follow the steps ×");
    this.kept = html("p", { class: "bpnb-kept", hidden: true }, this.keeps, follow);
    this.body = html("div", {});
    const label = "Numbers of one node. Arrow keys move over their names.";
    const onclick = (event) => view.pick(event);
    const attributes = { class: "bpnb-numbers", "data-names": true, onclick };
    this.element = panel(label, attributes, this.kept, this.body);
  }

  get scene() {
    return this.view.scene;
  }

  /** An array of the scene as a table. */
  table(number, family, what) {
    return big(this.scene.tensors[number], family, what, ROOM);
  }

  name(index, attributes = {}) {
    const name = nameParts(this.scene.nodes[index].name);
    return html("b", { class: "bpnb-name", ...attributes }, ...name);
  }

  /** Show a node, or null for what is known at the start. */
  update(index, state) {
    const { selected } = this.view;
    if (selected === null && focusInside(this.kept)) this.element.focus({ preventScroll: true });
    this.kept.hidden = selected === null || this.view.loose;
    if (selected !== null) this.keeps.replaceChildren(this.name(selected), " is kept · ");
    const parts = index === null ? this.start() : this.node(index, state);
    this.view.refill(this.body, parts.filter(Boolean), this.element);
  }

  /** Where there is no room for all, have the end in sight: what a step back hands on. */
  scroll() {
    if (this.view.selected !== null) return; // who keeps a node reads where they like
    this.element.scrollTop = 0;
    const { phase } = this.view.state.frame;
    if (phase === "backward") scrollInside(this.body.lastChild.lastChild);
  }

  /** The panel before anything is computed: the inputs, which are all that is known. */
  start() {
    const { nodes } = this.scene;
    const inputs = nodes.flatMap(({ kind }, index) => (kind === "input" ? [index] : []));
    const row = (index) => {
      const table = this.table(nodes[index].value, "value", nodes[index].name);
      return labelled(this.name(index), html("span", { "data-link": `v${index}` }, table));
    };
    const more = inputs.length - INPUTS;
    return [
      html("h2", { class: "bpnb-node" }, "What is known at the start"),
      ...inputs.slice(0, INPUTS).map(row),
      more > 0 && html("p", {}, `and ${counted(more, "more input")}`),
    ];
  }

  /** What is known of a node, in the order in which it came to be known. */
  node(index, state) {
    const { scene } = this;
    const { name, kind, text, names, source, line, value, adjoint } = scene.nodes[index];
    const made = text ? ["= ", ...named(text, names)] : [kind];
    const head = [
      html("span", { class: "bpnb-name" }, ...nameParts(name)),
      html("code", {}, ...made),
      html("small", {}, scene.tensors[value].shape),
    ];
    const place = line === null ? "" : `line ${line}: `;
    const origin = { class: "bpnb-source", "data-link": `v${index}` };
    const known = state.adjoint(index);
    const slope = `adjoint ${this.slope(index)}`;
    const none = kind === "constant" ? "a constant has none" : "not yet known";
    const hasNone = adjoint !== null || kind === "constant" ? none : "";
    const missing = (why) => html("em", {}, why);
    const values = state.hasValue(index)
      ? this.table(value, "value", "value")
      : missing("not computed yet");
    const isForward = !known && text && state.hasValue(index);
    return [
      html(
        "div",
        { class: "bpnb-node-head" },
        html("h2", { class: "bpnb-node" }, ...head),
        source && html("p", origin, place, html("code", {}, source)),
        isForward ? null : this.row(`v${index}`, "value", values),
      ),
      ...marksAt(scene, index, state).map((mark, k) => this.mark(mark, `m${index}.${k}`)),
      isForward && this.computed(index),
      !known && hasNone && labelled(slope, missing(hasNone)),
      known?.from === null && this.row(`a${index}`, slope, this.whole(known.total)),
      html("div", { class: "bpnb-event" }, ...this.received(index), ...this.given(index)),
    ];
  }

  slope(index) {
    const { nodes, output } = this.scene;
    return `∂${nodes[output].name}/∂${nodes[index].name}`;
  }

  /** An adjoint that is known as a whole. */
  whole(total) {
    const table = this.table(total, "adjoint", "adjoint");
    table.classList.add("bpnb-whole");
    return table;
  }

  mark({ style, text }, link) {
    const content = [badge(this.scene.marks[style]), html("span", {}, text)];
    return html("p", { class: "bpnb-health", "data-link": link }, ...content);
  }

  /** The call that made a value, with numbers in it. */
  computed(index) {
    const { name, text, names, symbol, value } = this.scene.nodes[index];
    // What a matrix is multiplied by stands upright, and so does what comes of it.
    const last = this.scene.nodes[nodesOf(names.at(-1)?.[2] ?? "v0")[0]];
    const stands = symbol === "@" && this.scene.tensors[last.value].shape.endsWith(",)");
    const terms = this.terms(text, names, (k) => stands && k === names.length - 1);
    const result = this.factor("value", value, name, [[0, name.length, `v${index}`]], stands);
    const line = html("div", { class: "bpnb-product" }, ...terms, signed("=", result));
    return html("div", { class: "bpnb-computed" }, html("h3", {}, "computes"), line);
  }

  /** An expression whose names are shown as the tables of what they stand for. */
  terms(text, names, stands = () => false) {
    const { nodes } = this.scene;
    if (names.length > OPERANDS) return [html("code", {}, ...named(text, names))];
    let k = 0;
    return cutAtNames(text, names).map(([part, link]) => {
      if (!link) return html("code", { class: "bpnb-operator" }, part);
      const [index] = nodesOf(link);
      const family = link[0] === "a" ? "adjoint" : "value";
      const name = [[0, Array.from(part).length, link]];
      return this.factor(family, nodes[index][family], part, name, stands(k++));
    });
  }

  /** What has arrived at a node, one by one, and what it adds up to. */
  received(index) {
    const arrived = arrivals(this.scene, index, this.view.step);
    if (!arrived.length) return [];
    const all = arrived[0].arrivals;
    const isPart = arrived.length < all;
    const count = `${isPart ? `${arrived.length} of ` : ""}${all} contributions${isPart ? " so far" : ""}`;
    const early = arrived.length - TERMS;
    const lead = early > 0 && html("p", {}, `the last ${TERMS} of ${arrived.length}`);
    const products = arrived.slice(-TERMS).map((one) => this.product(one, "from", one.from));
    const parts = [section(all > 1 ? `receives ${count}` : "receives", lead, ...products)];
    if (arrived.length > 1) parts.push(section("adds up", this.sum(index, arrived.slice(-TERMS))));
    return parts;
  }

  /** What a node hands on, and what becomes of it where something had come before. */
  given(index) {
    const all = handedOn(this.scene, index, this.view.step);
    if (!all.length) return [];
    const given = all.filter(isTold);
    const more = all.length - given.length;
    const parts = given.flatMap((one) => {
      const own = arrivals(this.scene, one.parent, this.view.step);
      const at = own.findIndex(({ edge }) => edge === one.edge);
      return [
        this.product(one, "to", one.parent),
        at > 0 && this.sum(one.parent, own.slice(at, at + 1)),
      ];
    });
    const rest = more > 0 && html("p", {}, `and to ${more} ${given.length ? "more" : "that are folded away"}`);
    return [section("hands on", ...parts, rest)];
  }

  /** A row of the panel that is linked and can have the focus. */
  row(link, text, content) {
    const row = labelled(text, content);
    row.setAttribute("data-link", link);
    row.setAttribute("tabindex", "-1");
    return row;
  }

  /** One contribution, factor by factor with numbers and shapes. */
  product(contribution, preposition, other) {
    const { parent, line, names, factors, symbol, value, arrival, arrivals: all } = contribution;
    const isReceived = preposition === "from";
    const [target = [0, 0], ...used] = names;
    const adjoint = Array.from(line).slice(target[0], target[1]).join("");
    const begin = line.indexOf("= ") + 2; // of the rule; before it there is but a name
    const rule = used.map(([from, to, link]) => [from - begin, to - begin, link]);
    const product = factors.map(({ family, value: number, text, names: own }, k) => {
      const factor = this.factor(family, number, text, own);
      return k ? signed(symbol, factor) : factor;
    });
    const isOnly = all === 1;
    const whole = isReceived ? `adjoint ${this.slope(parent)}` : adjoint;
    const text = isOnly ? whole : `contribution ${arrival} of ${all}`;
    const result = this.factor("adjoint", value, text, [[0, text.length, `a${parent}`]]);
    if (isReceived && isOnly) result.firstChild.classList.add("bpnb-whole");
    return html(
      "div",
      { class: "bpnb-product bpnb-contribution" },
      html("span", { class: "bpnb-lead" }, `${preposition} `, this.name(other, { "data-link": linkTo([other]) })),
      ...(factors.length ? product : this.terms(line.slice(begin), rule)),
      signed("=", result),
    );
  }

  /** A table with what it is below. */
  factor(family, number, text, names, stands = false) {
    const tensor = this.scene.tensors[number];
    const table = big(stands ? upright(tensor) : tensor, family, text, ROOM);
    const shape = tensor.single || tensor.map ? "" : ` ${tensor.shape}`; // a map says it itself
    const label = html("small", {}, ...named(text, names), shape);
    return html("div", { class: "bpnb-factor", "data-link": linkOf(names) || null }, table, label);
  }

  /** Contributions that add up to what a node has by then, with what had come before them. */
  sum(index, some) {
    const { arrival, arrivals: all, total } = some.at(-1);
    const early = some[0].before;
    const table = (number, what) => big(level(this.scene.tensors[number]), "adjoint", what, ROOM);
    const terms = some.map(({ value }) => table(value, "contribution"));
    if (early !== null) terms.unshift(table(early, "sum of the earlier ones"));
    const isPart = arrival < all;
    const text = isPart ? `${arrival} of ${all} so far` : `all ${all}: adjoint ${this.slope(index)}`;
    const result = this.factor("adjoint", total, text, [[0, text.length, `a${index}`]]);
    if (!isPart) result.firstChild.classList.add("bpnb-whole");
    return html(
      "div",
      { class: "bpnb-product bpnb-sum", "data-link": `a${index}` },
      ...terms.map((term, k) => (k ? signed("+", term) : term)),
      signed("=", result),
    );
  }
}

/** A sign and what it belongs to, which stay together. */
const signed = (sign, factor) => html("div", { class: "bpnb-signed" }, operator(sign), factor);

/** A part of the event under its own heading. */
const section = (title, ...content) =>
  html("div", {}, html("h3", {}, title), ...content.map((each) => each || null));
