// The numbers of one node: its value, its adjoint, the products that made it and that it hands on.

import { linkOf, linkTo, nodesOf } from "./links.mjs";
import { arrivals, handedOn, marksAt } from "./moments.mjs";
import { badge, big, html, labelled, nameParts, operator, panel } from "../view.mjs";

const INPUTS = 8; // so many inputs are shown at the start
const TERMS = 8; // so many contributions are shown one by one

export class NodeNumbers {
  constructor(view) {
    this.view = view;
    this.element = panel("Numbers of one node. Arrow keys move over their names.", {
      class: "bpnb-numbers",
      "data-trail": true,
      onclick: (event) => view.pick(event),
    });
  }

  get scene() {
    return this.view.scene;
  }

  /** Show a node, or null for what is known at the start. */
  update(index, state) {
    this.view.refill(this.element, index === null ? this.start() : this.node(index, state));
  }

  /** The panel before anything is computed: the values of the inputs, which are all that is known. */
  start() {
    const inputs = this.scene.nodes.map((node, index) => ({ node, index })).filter(({ node }) => node.kind === "input");
    const more = inputs.length - INPUTS;
    return [
      html("h2", { class: "bpnb-node" }, "What is known at the start"),
      ...inputs.slice(0, INPUTS).map(({ node, index }) => labelled(html("b", { class: "bpnb-name" }, ...nameParts(node.name)), html("span", { "data-link": `v${index}` }, big(node.value, "value", node.name)))),
      ...(more > 0 ? [html("p", {}, `and ${more} more inputs`)] : []),
    ];
  }

  node(index, state) {
    const { scene } = this;
    const node = scene.nodes[index];
    const output = scene.nodes[scene.output].name;
    const known = state.adjoint(index);
    const text = node.text ? ["= ", ...this.view.named(node.text, node.names)] : [node.kind];
    const head = html("h2", { class: "bpnb-node" }, html("span", { class: "bpnb-name" }, ...nameParts(node.name)), html("code", {}, ...text), html("small", {}, node.value.shape));
    const place = node.code ? `line ${scene.code[node.code.block].first + node.code.start[0]}: ` : "";
    const source = node.source ? html("p", { class: "bpnb-source", "data-link": `v${index}` }, place, html("code", {}, node.source)) : null;
    const value = state.hasValue(index) ? big(node.value, "value", "value") : html("em", {}, "not computed yet");
    const partial = known && known.arrival < known.arrivals ? ` (${known.arrival} of ${known.arrivals} so far)` : "";
    const none = node.kind === "constant" ? "a constant has none" : "not yet known";
    const adjoint = known ? big(known.value, "adjoint", "adjoint") : html("em", {}, none);
    const marks = marksAt(scene, index, state).map(({ text: said, look }, k) =>
      html("p", { class: "bpnb-health", "data-link": `m${index}.${k}` }, badge(scene.marks[look]), html("span", {}, said)),
    );
    const rows = [this.linked(`v${index}`, "value", value), this.linked(`a${index}`, `adjoint \u2202${output}/\u2202${node.name}${partial}`, adjoint)];
    const parts = [head, source, ...marks, html("div", { class: "bpnb-both" }, ...rows), ...this.given(index), ...this.received(index)];
    return parts.filter((part) => part !== null);
  }

  given(index) {
    const gifts = handedOn(this.scene, index, this.view.step);
    return gifts.length ? [html("h3", {}, "hands on"), ...gifts.map((gift) => this.product(gift, gift.parent))] : [];
  }

  received(index) {
    const arrived = arrivals(this.scene, index, this.view.step);
    if (!arrived.length) return [];
    const all = arrived[0].arrivals;
    return [
      html("h3", {}, all > 1 ? `receives ${all} contributions, which add up` : "receives"),
      arrived.length > TERMS ? html("p", {}, `the last ${TERMS} of ${arrived.length} so far`) : null,
      ...arrived.slice(-TERMS).map((gift) => this.product(gift, gift.from, "from ")),
      arrived.length > 1 ? this.sum(index) : null,
    ];
  }

  /** A row of the panel that is linked and can have the focus. */
  linked(link, text, content) {
    const row = labelled(text, content);
    row.setAttribute("data-link", link);
    if (this.scene.nodes[nodesOf(link)[0]].kind !== "constant" || link[0] === "v") row.setAttribute("tabindex", "-1");
    return row;
  }

  /** One contribution: the rule as code, then factor by factor with numbers and shapes. */
  product(gift, other, preposition = "to ") {
    const { view } = this;
    const target = `a${gift.parent}`;
    const result = gift.arrivals > 1 ? "contribution" : `d_${this.scene.nodes[gift.parent].name}`;
    const factor = (sign, { value, family, text, names }) =>
      html(
        "div",
        { class: "bpnb-factor" },
        sign ? operator(sign) : null,
        html(
          "div",
          { "data-link": linkOf(names) || null },
          big(value, family, text),
          html("small", {}, ...view.named(text, names), value.single ? "" : ` ${value.shape}`),
        ),
      );
    const row = html(
      "div",
      { class: "bpnb-product" },
      ...gift.factors.map((one, k) => factor(k ? gift.symbol : "", one)),
      factor(gift.factors.length ? "=" : "", { value: gift.value, family: "adjoint", text: result, names: [[0, result.length, target]] }),
    );
    const name = html("b", { class: "bpnb-name", "data-link": linkTo([other]) }, ...nameParts(this.scene.nodes[other].name));
    const line = html("p", {}, preposition, name, html("code", {}, ...view.named(gift.line, gift.names)));
    const sum = preposition === "to " && gift.arrival > 1 ? this.sum(gift.parent) : null;
    return html("div", { class: "bpnb-gift" }, ...[line, row, sum].filter((part) => part !== null));
  }

  /** What has reached a node so far, adding up. */
  sum(index) {
    const arrived = arrivals(this.scene, index, this.view.step);
    const { arrival, arrivals: all, sum } = arrived.at(-1);
    const late = arrived.slice(-TERMS);
    const terms = late.flatMap((gift) => [operator("+"), big(gift.value, "adjoint", "contribution")]);
    // What came before the last few stands there as its sum.
    const before = arrived.at(-TERMS - 1);
    terms.splice(0, 1, ...(before ? [big(before.sum, "adjoint", "sum of the earlier ones"), operator("+")] : []));
    const name = `d_${this.scene.nodes[index].name}`;
    const text = arrival < all ? `${name} so far, ${arrival} of ${all}` : `${name}, all ${all} added up`;
    const total = html("div", { class: "bpnb-factor" }, operator("="), big(sum, "adjoint", text));
    return html("div", { class: "bpnb-product bpnb-sum", "data-link": `a${index}` }, html("small", {}, text), ...terms, total);
  }
}
