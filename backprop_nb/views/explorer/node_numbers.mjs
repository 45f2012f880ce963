// The numbers of one node: its value, its adjoint, the products that made it and that it hands on.

import { linkOf, linkTo, named } from "./links.mjs";
import { arrivals, handedOn, marksAt } from "./steps.mjs";
import { badge, big, html, labelled, nameParts, operator, panel } from "../view.mjs";

const INPUTS = 8; // so many inputs are shown at the start
const TERMS = 8; // so many contributions are shown one by one

export class NodeNumbers {
  constructor(view) {
    this.view = view;
    this.element = panel("Numbers of one node. Arrow keys move over their names.", {
      class: "bpnb-numbers",
      "data-names": true,
      onclick: (event) => view.pick(event),
    });
  }

  get scene() {
    return this.view.scene;
  }

  /** An array of the scene as a table. */
  table(number, family, what) {
    return big(this.scene.tensors[number], family, what);
  }

  name(index, attributes = {}) {
    const name = nameParts(this.scene.nodes[index].name);
    return html("b", { class: "bpnb-name", ...attributes }, ...name);
  }

  /** Show a node, or null for what is known at the start. */
  update(index, state) {
    const parts = index === null ? this.start() : this.node(index, state);
    this.view.refill(this.element, parts.filter(Boolean));
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
      more > 0 && html("p", {}, `and ${more} more inputs`),
    ];
  }

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
    const isPart = known && known.arrival < known.arrivals;
    const part = isPart ? ` (${known.arrival} of ${known.arrivals} so far)` : "";
    const none = kind === "constant" ? "a constant has none" : "not yet known";
    const missing = (why) => html("em", {}, why);
    const values = state.hasValue(index)
      ? this.table(value, "value", "value")
      : missing("not computed yet");
    const adjoints = known ? this.table(known.total, "adjoint", "adjoint") : missing(none);
    const slope = `adjoint \u2202${scene.nodes[scene.output].name}/\u2202${name}${part}`;
    const rows = [this.row(`v${index}`, "value", values)];
    if (adjoint !== null) rows.push(this.row(`a${index}`, slope, adjoints));
    else if (kind === "constant") rows.push(labelled(slope, adjoints));
    return [
      html("h2", { class: "bpnb-node" }, ...head),
      source && html("p", origin, place, html("code", {}, source)),
      ...marksAt(scene, index, state).map((mark, k) => this.mark(mark, `m${index}.${k}`)),
      html("div", { class: "bpnb-both" }, ...rows),
      ...this.given(index),
      ...this.received(index),
    ];
  }

  mark({ style, text }, link) {
    const content = [badge(this.scene.marks[style]), html("span", {}, text)];
    return html("p", { class: "bpnb-health", "data-link": link }, ...content);
  }

  given(index) {
    const given = handedOn(this.scene, index, this.view.step);
    if (!given.length) return [];
    const products = given.map((one) => this.product(one, one.parent, "to "));
    return [html("h3", {}, "hands on"), ...products];
  }

  received(index) {
    const arrived = arrivals(this.scene, index, this.view.step);
    if (!arrived.length) return [];
    const all = arrived[0].arrivals;
    const early = arrived.length > TERMS;
    return [
      html("h3", {}, all > 1 ? `receives ${all} contributions, which add up` : "receives"),
      early && html("p", {}, `the last ${TERMS} of ${arrived.length} so far`),
      ...arrived.slice(-TERMS).map((one) => this.product(one, one.from, "from ")),
      arrived.length > 1 && this.sum(index),
    ];
  }

  /** A row of the panel that is linked and can have the focus. */
  row(link, text, content) {
    const row = labelled(text, content);
    row.setAttribute("data-link", link);
    row.setAttribute("tabindex", "-1");
    return row;
  }

  /** One contribution: the rule as code, then factor by factor with numbers and shapes. */
  product(contribution, other, preposition) {
    const { parent, line, names, factors, symbol, value, arrival, arrivals: all } = contribution;
    const text = all > 1 ? "contribution" : `d_${this.scene.nodes[parent].name}`;
    const target = [[0, text.length, `a${parent}`]];
    const result = { value, family: "adjoint", text, names: target };
    const sum = preposition === "to " && arrival > 1 ? [this.sum(parent)] : [];
    const giver = this.name(other, { "data-link": linkTo([other]) });
    return html(
      "div",
      { class: "bpnb-contribution" },
      html("p", {}, preposition, giver, html("code", {}, ...named(line, names))),
      html(
        "div",
        { class: "bpnb-product" },
        ...factors.map((factor, k) => this.factor(k ? symbol : "", factor)),
        this.factor(factors.length ? "=" : "", result),
      ),
      ...sum,
    );
  }

  factor(sign, { value, family, text, names }) {
    const { single, shape } = this.scene.tensors[value];
    return html(
      "div",
      { class: "bpnb-factor" },
      sign ? operator(sign) : null,
      html(
        "div",
        { "data-link": linkOf(names) || null },
        this.table(value, family, text),
        html("small", {}, ...named(text, names), single ? "" : ` ${shape}`),
      ),
    );
  }

  /** What has reached a node so far, adding up; of many the early ones as their sum. */
  sum(index) {
    const arrived = arrivals(this.scene, index, this.view.step);
    const { arrival, arrivals: all, total } = arrived.at(-1);
    const early = arrived.at(-TERMS - 1);
    const terms = arrived
      .slice(-TERMS)
      .map(({ value }) => this.table(value, "adjoint", "contribution"));
    if (early) terms.unshift(this.table(early.total, "adjoint", "sum of the earlier ones"));
    const name = `d_${this.scene.nodes[index].name}`;
    const isPart = arrival < all;
    const text = isPart ? `${name} so far, ${arrival} of ${all}` : `${name}, all ${all} added up`;
    const result = [operator("="), this.table(total, "adjoint", text)];
    return html(
      "div",
      { class: "bpnb-product bpnb-sum", "data-link": `a${index}` },
      html("small", {}, text),
      ...terms.flatMap((term, k) => (k ? [operator("+"), term] : [term])),
      html("div", { class: "bpnb-factor" }, ...result),
    );
  }
}
