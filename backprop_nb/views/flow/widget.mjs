// GradientFlow.  First half: pure functions of names and places, tested without a page.
// Second half: the page.  Every number is Python's; a weight is dragged from one of
// the places that came with its curve to the next, so that dragging needs no kernel.

import { Replay, choice, clamp, clock, drawn, html, live, math, panel, picture, showAt, slider, svg } from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** A name such as "A_1[0, 2]" or "b_1[0]" in parts; `k` is null for a bias. */
export function parsed(name) {
  const [, symbol, ...digits] = name.match(/^(\w)_(\d+)\[(\d+)(?:, (\d+))?\]$/);
  const [i, j, k] = digits.map((digit) => (digit === undefined ? null : Number(digit)));
  return { symbol, i, j, k };
}

/** The name of a parameter. */
export const nameOf = ({ i, j, k }) => (k === null ? `b_${i}[${j}]` : `A_${i}[${j}, ${k}]`);

/** The key under which a parameter's numbers and edge are found. */
export function keyOf(name) {
  const { symbol, i, j, k } = parsed(name);
  return [symbol, i, j, k].filter((part) => part !== null).join(":");
}

/** What a click on a shape chooses: an edge its weight, a unit its bias, an input nothing. */
export function chosenBy(key) {
  const [kind, ...digits] = (key ?? "").split(":");
  const [i, j, k = null] = digits.map(Number);
  if (kind === "A") return nameOf({ i, j, k });
  if (kind === "b") return nameOf({ i, j, k: null });
  return (kind === "f" || kind === "delta") && i > 0 ? nameOf({ i: i - 1, j, k: null }) : null;
}

/** Where an arrow key leads: up and down through one layer's weights, then its biases; sideways to the next layer. */
export function neighbourOf(names, name, key) {
  const { i } = parsed(name);
  const same = names.filter((other) => parsed(other).i === i);
  const at = Math.max(same.indexOf(name), 0);
  if (key === "ArrowUp") return same[(at + same.length - 1) % same.length];
  if (key === "ArrowDown") return same[(at + 1) % same.length];
  const there = names.filter((other) => parsed(other).i === i + (key === "ArrowRight" ? 1 : -1));
  if (there.includes(name.replace(`_${i}`, `_${parsed(there[0] ?? name).i}`))) {
    return name.replace(`_${i}`, `_${parsed(there[0]).i}`);
  }
  return there[Math.min(at, there.length - 1)] ?? name;
}

/** The index of the place whose `column` (0: ε, 1: x) is nearest to a value. */
export function nearest(places, value, column = 0) {
  const distance = (place) => Math.abs(place[column] - value);
  return places.reduce((best, place, index) => (distance(place) < distance(places[best]) ? index : best), 0);
}

/** The edge that lies nearest to a point, unless that is farther away than `reach`. */
export function edgeAt(edges, [x, y], reach) {
  let [best, found] = [reach, null];
  for (const edge of edges) {
    const [[x0, y0], [x1, y1]] = edge.points;
    const [dx, dy] = [x1 - x0, y1 - y0];
    const share = clamp(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1);
    const distance = Math.hypot(x - x0 - share * dx, y - y0 - share * dy);
    if (distance <= best) [best, found] = [distance, edge.key];
  }
  return found;
}

/** The `d` of an SVG path along all edges. */
export const alongEdges = (edges) => edges.map(({ points }) => `M${points.map((point) => point.join(",")).join("L")}`).join("");

/** From which step on something of a layer is known. */
export const knownSince = {
  forward: (i) => i,
  loss: (K) => K + 1,
  backward: (i, K) => 2 * K + 2 - i,
};

/** The slider of the scale has even steps from 0.1 to 10 on a logarithmic axis. */
export const scaleAt = (place) => Number((10 ** (place / 10)).toPrecision(2));
export const placeOfScale = (scale) => clamp(Math.round(10 * Math.log10(Math.max(scale, 1e-9))), -10, 10);

/** A number of a slider as text; a program may have set it to any. */
export const sliderText = (number) => String(Number(number.toPrecision(3))).replace("-", "\u2212");

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const MOST_INPUTS = 6; // a slider for each entry of x, if there are no more of them
const DRAG = 5; // pixels that the pointer moves per place
const REACH = 8; // pixels from an edge at which it still is the one that is meant
const UNKNOWN = "\u2013";
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

const symbol = (stem, index, entry = "") => html("span", { class: "bpnb-flow-symbol-name" }, html("i", {}, stem), html("sub", {}, String(index)), entry);

class Flow extends Replay {
  constructor(model, el) {
    super(model, el);
    this.build();
    this.listen("change:scene", () => this.updateScene());
    this.listen("change:step", () => this.updateStep());
    this.listen("change:edges", () => this.updateNetwork());
    this.listen("change:selected", () => this.updateSelected());
    this.listen("change:curves", () => this.updateSelected());
    this.listen("change:epsilon", () => this.updateEpsilon(true));
    this.listen("change:playing", () => this.updatePlay());
    for (const name of ["depth", "width", "scale", "activation", "input", "row", "given"]) this.listen(`change:${name}`, () => this.updateControls());
  }

  get K() {
    return this.scene.widths.length - 1;
  }

  get curve() {
    return this.model.get("curves")[this.model.get("selected")];
  }

  /** The names of all weights and biases that can be chosen here. */
  get names() {
    const names = Object.keys(this.scene.numbers).filter((key) => !key.startsWith("f")).map(chosenBy);
    const selected = this.model.get("selected");
    return names.includes(selected) ? names : [selected, ...names];
  }

  select(name) {
    if (!name || name === this.model.get("selected")) return;
    this.model.set("epsilon", 0);
    this.set("selected", name);
  }

  /** Move the weight to one of the places of its curve. */
  moveTo(index) {
    if (!this.curve) return;
    const { places } = this.curve;
    this.set("epsilon", places[clamp(index, 0, places.length - 1)][0]);
  }

  get place() {
    return this.curve ? nearest(this.curve.places, this.model.get("epsilon")) : 0;
  }

  // -- building -------------------------------------------------------------

  build() {
    this.title = html("div", { class: "bpnb-title" });
    this.verdict = html("div", { class: "bpnb-flow-verdict" });
    this.stand(
      "gradient_flow",
      "Gradient flow through a network",
      html("div", { class: "bpnb-bar" }, ...this.buildReplay(this.scene.turn), this.title),
      this.buildControls(),
      html("div", { class: "bpnb-flow" }, this.buildPictures(), this.buildPanels()),
    );
    this.updateScene();
    this.updatePlay();
  }

  buildControls() {
    const get = (name) => this.model.get(name);
    const set = (name) => (value) => this.set(name, value);
    this.depth = slider("layers", { min: 1, max: Math.max(10, get("depth")), value: get("depth"), onchange: set("depth") });
    this.width = slider("units a layer", { min: 1, max: Math.max(8, get("width")), value: get("width"), onchange: set("width") });
    this.scale = slider("weight scale", {
      min: -10,
      max: 10,
      value: placeOfScale(get("scale")),
      text: () => sliderText(get("scale")),
      onchange: (place) => this.set("scale", scaleAt(place)),
    });
    this.activation = choice("activation", ["sigmoid", "tanh", "relu", "leaky relu", "identity"].map((name) => [name, name]), { value: get("activation"), onchange: set("activation") });
    this.inputs = get("input").length > MOST_INPUTS ? [] : get("input").map((_, k) => this.buildInput(k));
    this.rowSlider = slider("input of the batch", { min: 0, max: this.scene.rows - 1, value: get("row"), onchange: set("row") });
    this.edges = choice("edges", [["weight", "weight"], ["gradient", "gradient"]], { value: get("edges"), onchange: set("edges") });
    const draw = html("button", { type: "button", onclick: () => this.set("seed", get("seed") + 1) }, "Draw new weights");
    this.back = html("button", { type: "button", onclick: () => this.set("given", true) }, "Back to what was given");
    const part = (...children) => html("div", { class: "bpnb-controls", "data-kernel": true }, ...children);
    return html(
      "div",
      { class: "bpnb-flow-settings" },
      part(this.depth, this.width, this.scale, this.activation, draw),
      part(...(this.scene.rows > 1 ? [this.rowSlider] : []), ...this.inputs, this.back),
      html("div", { class: "bpnb-controls" }, this.edges),
    );
  }

  buildInput(k) {
    const value = () => this.model.get("input")[k];
    const reach = Math.max(3, Math.ceil(Math.abs(value())));
    return slider(`x[${k}]`, {
      min: -reach,
      max: reach,
      step: 0.05,
      value: value(),
      text: () => sliderText(value()),
      onchange: (entry) => this.set("input", this.model.get("input").map((old, index) => (index === k ? entry : old))),
    });
  }

  buildPictures() {
    this.net = html("div", {
      class: "bpnb-flow-net",
      role: "group",
      tabindex: 0,
      "aria-label": "Network. Arrow keys choose a weight, + and \u2212 move it.",
      onpointerdown: (event) => this.onPress(event),
      onpointermove: (event) => (this.net.style.cursor = this.under(event) ? "ns-resize" : ""),
    });
    this.waterfall = html("div", { class: "bpnb-flow-waterfall" });
    return html("div", { class: "bpnb-flow-stack", tabindex: 0, role: "group", "aria-label": "Network and bars" }, this.verdict, this.net, this.waterfall);
  }

  buildPanels() {
    this.chooser = html("select", { "aria-label": "Weight or bias", onchange: () => this.select(this.chooser.value) });
    this.facts = html("div", { class: "bpnb-flow-facts" });
    this.product = html("p", { class: "bpnb-flow-gradient-line" });
    this.batch = html("small", { hidden: this.scene.rows === 1 });
    this.curveBox = html("div", { class: "bpnb-flow-curve", onpointerdown: (event) => this.onCurve(event) });
    this.slide = slider("\u03b5", { min: 0, max: 1, value: 0, text: () => this.moved("epsilon"), onchange: (index) => this.moveTo(index) });
    this.change = html("div", { class: "bpnb-flow-change" });
    this.keep = html("button", { type: "button", "data-kernel": true, onclick: () => this.set("weight", this.model.get("weight") + this.model.get("epsilon")) }, "Keep this weight");
    this.table = html("div", { class: "bpnb-flow-table" });
    return html(
      "div",
      { class: "bpnb-flow-side" },
      panel(
        "One weight",
        { class: "bpnb-flow-chosen-panel" },
        html("div", { class: "bpnb-controls" }, html("h2", {}, "one weight or bias"), this.chooser),
        this.facts,
        this.product,
        this.batch,
        this.curveBox,
        html("div", { class: "bpnb-controls" }, this.slide, this.keep),
        this.change,
      ),
      panel("Layer by layer", {}, html("h2", {}, "layer by layer, backward"), this.table),
    );
  }

  // -- updating -------------------------------------------------------------

  updateScene() {
    this.scene = this.model.get("scene");
    this.updateControls();
    this.waterfall.replaceChildren(picture(this.scene.waterfall));
    this.updateNetwork();
    this.updateStep();
    this.updateSelected();
  }

  updateControls() {
    for (const name of ["depth", "width", "activation"]) this[name].update(this.model.get(name));
    this.scale.update(placeOfScale(this.model.get("scale")));
    this.rowSlider.update(this.model.get("row"));
    this.inputs.forEach((each, k) => each.update(this.model.get("input")[k]));
    this.edges.update(this.model.get("edges"));
    this.back.disabled = this.alone || this.model.get("given");
  }

  /** Say what became of the gradient; on the way there, what to watch for. */
  updateVerdict() {
    if (this.step < this.last) return this.verdict.replaceChildren(html("p", {}, this.scene.frames[this.step].watch));
    const { text, ratio, factors } = this.scene.verdict;
    const parts = factors.map((factor, index) =>
      html("span", { class: "bpnb-flow-factor-name" }, index ? "\u00d7 " : "= ", html("i", { class: `bpnb-flow-swatch bpnb-flow-swatch-${factor.kind}` }), factor.text),
    );
    this.verdict.replaceChildren(html("strong", {}, text), html("p", {}, ratio, " ", ...parts));
  }

  /** Make the network's picture: a faint line for every edge, the chosen one, the edges, the units. */
  updateNetwork() {
    const { units, edges } = this.scene;
    this.lines = edges.weight.shapes.filter((shape) => shape.key?.startsWith("A"));
    const image = picture({ ...units, shapes: [] });
    this.chosen = svg("g", {});
    image.append(
      svg("path", { class: "bpnb-flow-faint", d: alongEdges(this.lines) }),
      this.chosen,
      ...edges[this.model.get("edges")].shapes.map(drawn),
      ...units.shapes.map(drawn),
    );
    this.net.replaceChildren(image);
    this.edges.update(this.model.get("edges"));
    showAt(image, this.step);
    this.markChosen();
  }

  /** Lay a broad light below the chosen edge, a ring around the unit of a chosen bias. */
  markChosen() {
    const selected = this.model.get("selected");
    const { i, j, k } = parsed(selected);
    if (k !== null) {
      const edge = this.lines.filter(({ key }) => key === keyOf(selected));
      this.chosen.replaceChildren(svg("path", { class: "bpnb-flow-chosen", d: alongEdges(edge) }));
      return;
    }
    const unit = this.net.querySelector(`circle[data-key="f:${i + 1}:${j}"]`);
    if (!unit) return this.chosen.replaceChildren();
    const [cx, cy] = ["cx", "cy"].map((name) => unit.getAttribute(name));
    this.chosen.replaceChildren(svg("circle", { class: "bpnb-flow-chosen", cx, cy, r: 18 }));
  }

  updateStep() {
    const frame = this.scene.frames[this.step];
    const word = { start: "Start", forward: "Forward", loss: "Loss", backward: "Backward" }[frame.phase];
    this.updateReplay(frame.words);
    const formulas = html("span", { class: "bpnb-formulas" }, ...frame.formulas.map((formula) => html("span", {}, math(formula))));
    if (!frame.formulas.length) formulas.append("the input is known, nothing is computed yet");
    this.title.replaceChildren(
      html("strong", { class: frame.phase === "backward" ? "bpnb-back" : "bpnb-forth" }, word),
      html("span", { class: "bpnb-count" }, `step ${this.step} of ${this.last}`),
      formulas,
    );
    for (const image of this.root.querySelectorAll(".bpnb-flow-net svg, .bpnb-flow-waterfall svg")) showAt(image, this.step);
    this.updateVerdict();
    this.updateFacts();
    this.updateTable();
  }

  updateTable() {
    const { columns, rows } = this.scene.table;
    const head = html("tr", {}, ...columns.map((text) => (text ? html("th", { scope: "col" }, text) : html("td", {}))));
    const body = rows.map(({ layer, since, cells }) =>
      html("tr", { class: since === this.step ? "bpnb-flow-current-row" : "" }, html("th", { scope: "row" }, `layer ${layer}`), ...cells.map((text) => html("td", {}, since <= this.step ? text : "\u00b7"))),
    );
    this.table.replaceChildren(html("table", {}, html("thead", {}, head), html("tbody", {}, ...body)));
  }

  /** Another weight or bias is chosen, or its curve has come. */
  updateSelected() {
    const { names } = this;
    const selected = this.model.get("selected");
    const options = names.join();
    if (options !== this.options) {
      this.options = options;
      const all = (kind, title) => html("optgroup", { label: title }, ...names.filter((name) => name.startsWith(kind)).map((name) => html("option", { value: name }, name)));
      this.chooser.replaceChildren(all("A", "weights"), all("b", "biases"));
    }
    this.chooser.value = selected;
    this.markChosen();
    this.updateFacts();
    const { curve } = this;
    this.slide.querySelector("input").disabled = !curve;
    if (curve) {
      this.curveBox.replaceChildren(picture(curve.picture));
      this.slide.querySelector("input").max = curve.places.length - 1;
    } else if (this.alone) {
      this.curveBox.replaceChildren(html("em", {}, "The curve of this weight needs a running notebook."));
    }
    this.updateEpsilon(false);
  }

  /** The numbers of the chosen weight and of the unit that it leads to. */
  updateFacts() {
    const { i, j, k } = parsed(this.model.get("selected"));
    const numbers = { ...this.scene.numbers, ...this.curve?.numbers };
    const { K, step } = this;
    const there = knownSince.forward(i + 1) <= step;
    const back = knownSince.backward(i + 1, K) <= step;
    const get = (key, index, known = true) => (known ? (numbers[key]?.[index] ?? UNKNOWN) : UNKNOWN);
    const fact = (name, text) => html("div", {}, name, html("b", {}, text));
    const unit = `f:${i + 1}:${j}`;
    const of = (stem, shift = 1) => symbol(stem, i + shift, `[${j}]`);
    const source = () => (i ? symbol("f", i, `[${k}]`) : html("span", {}, html("i", {}, "x"), `[${k}]`));
    const delta = get(unit, 3, back);
    const facts = [
      fact(of("z"), get(unit, 0, there)),
      fact(of("f"), get(unit, 1, there)),
      fact(html("span", {}, `${this.scene.signs[i]}\u2032(z)`), get(unit, 2, there)),
      fact(of("\u03b4"), delta),
      fact(of("b", 0), get(`b:${i}:${j}`, 0)),
    ];
    const partial = (name) => html("span", {}, "\u2202L/\u2202", name);
    const biasSlope = get(`b:${i}:${j}`, 1, back);
    let product = [partial(of("b", 0)), " = ", this.overRows(), of("\u03b4"), " = ", html("b", {}, biasSlope)];
    if (k !== null) {
      const from = get(`f:${i}:${k}`, i ? 1 : 0, knownSince.forward(i) <= step);
      facts.unshift(fact(symbol("A", i, `[${j}, ${k}]`), get(`A:${i}:${j}:${k}`, 0)), fact(source(), from));
      facts.push(fact(partial(of("b", 0)), biasSlope));
      const numbersOf = this.scene.rows > 1 ? [] : [" = ", delta, " \u00b7 ", from];
      product = [partial(symbol("A", i, `[${j}, ${k}]`)), " = ", this.overRows(), of("\u03b4"), " \u00b7 ", source(), ...numbersOf, " = ", html("b", {}, get(`A:${i}:${j}:${k}`, 1, back))];
    }
    this.facts.replaceChildren(...facts);
    this.product.replaceChildren(...product);
    this.batch.textContent = `Units show input ${this.model.get("row")} of the batch, its \u03b4 with the 1/${this.scene.rows} of the mean. \u03a3 adds over the batch; norms are over all of it.`;
  }

  /** Of a batch, a parameter's gradient is a sum over its rows. */
  overRows() {
    return this.scene.rows > 1 ? "\u03a3 " : "";
  }

  /** A text of the place at which the weight is. */
  moved(what) {
    const index = ["weight", "epsilon", "loss", "change", "linear", "difference"].indexOf(what);
    return this.curve?.texts[this.place][index] ?? UNKNOWN;
  }

  updateEpsilon(aloud) {
    const { curve, place } = this;
    this.slide.update(place);
    this.keep.disabled = this.alone || !this.model.get("epsilon");
    const rows = [
      ["loss", "L at w + \u03b5"],
      ["change", "actual \u0394L"],
      ["linear", "gradient \u00d7 \u03b5"],
      ["difference", "difference"],
    ];
    this.change.replaceChildren(...rows.map(([what, text]) => html("div", { class: `bpnb-flow-change-${what}` }, html("span", {}, text), html("b", {}, this.moved(what)))));
    if (!curve) return;
    const [, x, y, tangent] = curve.places[place];
    const mark = (name, attributes) => {
      const element = this.curveBox.querySelector(`[data-key="mark:${name}"]`);
      for (const [key, value] of Object.entries(attributes)) element?.setAttribute(key, value);
    };
    mark("dot", { cx: x, cy: y });
    mark("line", { d: `M${x},${curve.base}L${x},${y}` });
    mark("tangent", { cx: x + 4, cy: tangent });
    mark("tangent-line", { d: `M${x + 4},${curve.base}L${x + 4},${tangent}` });
    if (aloud) this.say(`${this.model.get("selected")} at ${this.moved("weight")}: actual change ${this.moved("change")}, gradient times epsilon ${this.moved("linear")}, difference ${this.moved("difference")}.`);
  }

  // -- pointer and keys ------------------------------------------------------

  /** What the pointer is at: the weight of an edge, the bias of a unit, or null. */
  under({ target, clientX, clientY }) {
    const image = this.net.firstChild;
    const unit = target.closest("circle[data-key], rect[data-key]");
    if (unit) return chosenBy(unit.dataset.key);
    const { left, top, width } = image.getBoundingClientRect();
    const scale = this.scene.units.width / width;
    const key = edgeAt(this.lines, [(clientX - left) * scale, (clientY - top) * scale], REACH);
    return key ? chosenBy(key) : null;
  }

  /** Choose what is pressed, and move it as the pointer goes up or down. */
  onPress(event) {
    const name = this.under(event);
    if (event.button !== 0 || !name) return;
    event.preventDefault();
    this.net.focus({ preventScroll: true });
    this.select(name);
    this.follow(event, this.net, (start) => {
      let from = null;
      return (next) => {
        from ??= this.curve ? this.place : null; // the curve may still be on its way
        if (from !== null) this.moveTo(from + Math.round((start.clientY - next.clientY) / DRAG));
      };
    });
  }

  onCurve(event) {
    if (event.button !== 0 || !this.curve) return;
    event.preventDefault();
    const move = ({ clientX }) => {
      const { left, width } = this.curveBox.querySelector("svg").getBoundingClientRect();
      const x = ((clientX - left) * this.curve.picture.width) / width;
      this.moveTo(nearest(this.curve.places, x, 1));
    };
    move(event);
    this.follow(event, this.curveBox, () => move);
  }

  /** Call what `start` returns at every move of the pointer, until it is let go. */
  follow(event, element, start) {
    const move = start(event);
    const over = new AbortController();
    const options = { signal: over.signal };
    element.setPointerCapture(event.pointerId);
    element.addEventListener("pointermove", move, options);
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => over.abort(), options);
  }

  actions(event) {
    const actions = super.actions(event);
    if (event.target === this.chooser) return {}; // a list keeps its keys
    if (event.target !== this.net) return actions;
    for (const key of ARROWS) actions[key] = () => this.walkTo(neighbourOf(this.names, this.model.get("selected"), key));
    for (const key of ["+", "="]) actions[key] = () => this.moveTo(this.place + 1);
    for (const key of ["-", "\u2212"]) actions[key] = () => this.moveTo(this.place - 1);
    actions.Escape = () => this.set("epsilon", 0);
    return actions;
  }

  walkTo(name) {
    this.select(name);
    const [value, gradient] = this.scene.numbers[keyOf(name)] ?? [];
    if (value) this.say(`${name} = ${value}, gradient ${knownSince.backward(parsed(name).i + 1, this.K) <= this.step ? gradient : "not yet known"}.`);
  }
}

// Named, so that page.mjs can follow in the same script.
const widget = live(Flow, clock);
export default widget;
