// GradientFlow; the scene is FlowScene in schema.py, a curve FlowCurve.
// First half: pure functions.  Second half: the page.  Every number is Python's; a weight is
// dragged from one place of its curve to the next, so that dragging needs no kernel.
import {
  ARROW_KEYS, Controls, Replay, clamp, clock, counter, drag, explained, html, live, math, namedRange, nearest,
  panel, patched, reading, redraw, repaint, rest, showAt,
} from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** The key of a parameter's edge and of its numbers, such as "A:1:0:2" of "A_1[0, 2]". */
export const keyOf = (name) => name.match(/[Ab]|\d+/g).join(":");

/** The name of the parameter with a key. */
export function nameOf(key) {
  const [symbol, i, ...entry] = key.split(":");
  return `${symbol}_${i}[${entry.join(", ")}]`;
}

/** The parts of a text in turn: what is no symbol, a symbol such as the A of "A₀[0, 0]", ... */
export const splitAtSymbols = (text) => text.split(/(?<!\p{L})([Abfxzδ])(?!\p{L})/u);

/** What a click on a shape chooses: an edge its weight, a unit its bias, an input nothing. */
export function chosenBy(key = "") {
  const [kind, i, j] = key.split(":");
  if (kind === "A" || kind === "b") return nameOf(key);
  return (kind === "f" || kind === "delta") && i > 0 ? nameOf(`b:${i - 1}:${j}`) : null;
}

/**
 * Where an arrow key leads: up and down through one layer's weights, then its biases; sideways
 * to the next layer.
 */
export function neighbourOf(names, name, key) {
  const layerOf = (each) => Number(keyOf(each).split(":")[1]);
  const i = layerOf(name);
  const inLayer = (layer) => names.filter((each) => layerOf(each) === layer);
  const same = inLayer(i);
  const at = Math.max(same.indexOf(name), 0);
  if (key === "ArrowUp") return same.at(at - 1);
  if (key === "ArrowDown") return same[(at + 1) % same.length];
  const next = i + (key === "ArrowRight" ? 1 : -1);
  const [there, twin] = [inLayer(next), name.replace(`_${i}`, `_${next}`)];
  return there.includes(twin) ? twin : (there[Math.min(at, there.length - 1)] ?? name);
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

/** The marks of a curve at one of its places, as a patch of its picture; see weight_curve.py. */
export function marksAt([x, y, tangent], base) {
  const beside = Number((x + 4).toFixed(1));
  return {
    "mark:tangent-line": { points: [[beside, base], [beside, tangent]] },
    "mark:line": { points: [[x, base], [x, y]] },
    "mark:tangent": { centre: [beside, tangent] },
    "mark:dot": { centre: [x, y] },
  };
}

/** The slider of the scale has even steps from 0.1 to 10 on a logarithmic axis. */
export const scaleAt = (place) => Number((10 ** (place / 10)).toPrecision(2));
export const placeOfScale = (scale) =>
  clamp(Math.round(10 * Math.log10(Math.max(scale, 1e-9))), -10, 10);

/** A number of a slider as text; a program may have set it to any. */
export const sliderText = (number) => String(Number(number.toPrecision(3))).replace("-", "\u2212");

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

/** A text with its symbols in italics. */
const withSymbols = (text) =>
  splitAtSymbols(text).map((part, k) => (k % 2 ? html("i", {}, part) : part));

const MOST_INPUTS = 6; // a slider for each entry of x, if there are no more of them
const DRAG = 5; // pixels that the pointer moves per place
const REACH = 8; // pixels from an edge at which it still is the one that is meant
const UNKNOWN = "\u2013";
const CHANGES = {
  loss: "L at w + \u03b5",
  change: "actual \u0394L",
  linear: "gradient \u00d7 \u03b5",
  difference: "difference",
};

/** A place that is as high as the highest of what is shown in it in turn, so that nothing below it moves. */
function steady(place, kind) {
  const room = html("div", { class: `bpnb-flow-steady ${kind}` }, place);
  room.reserve = (contents, more = "") => {
    const copies = contents.map((parts) => html("div", { class: `bpnb-flow-copy ${more}` }, ...parts));
    room.replaceChildren(place, ...copies);
  };
  return room;
}

const controls = (...children) => html("div", { class: "bpnb-controls" }, ...children);
const span = (...children) => html("span", {}, ...children);

class FlowView extends Replay {
  constructor(model, el) {
    super(model, el);
    this.controls = new Controls(this);
    this.build();
    this.follow(() => this.updateScene(), "scene");
    this.follow(() => this.updateStep(), "step");
    this.follow(() => this.updateNetwork(), "edges");
    this.follow(() => this.updateSelected(), "selected", "curves");
    this.follow(() => this.updateEpsilon(true), "epsilon");
    this.follow(() => (this.more.open = this.model.get("more")), "more");
    this.follow(() => this.updatePlay(), "playing");
    this.follow(() => this.updateControls(), "given", ...Object.keys(this.controls.all));
  }

  get selected() {
    return this.model.get("selected");
  }

  get curve() {
    return this.model.get("curves")[this.selected];
  }

  /** What is printed of the chosen weight or bias, which may not be drawn. */
  get about() {
    if (this.curve) return this.curve.about;
    const { facts, parameters } = this.scene;
    const drawn = parameters[this.selected];
    return drawn && { ...drawn, facts: drawn.facts.map((k) => facts[k]) };
  }

  /** The names of all weights and biases that can be chosen here. */
  get names() {
    return [...new Set([...Object.keys(this.scene.parameters), this.selected])];
  }

  /** Where on its curve the weight is. */
  get place() {
    return this.curve ? nearest(this.curve.epsilons, this.model.get("epsilon")) : 0;
  }

  select(name) {
    if (!name || name === this.selected) return;
    this.model.set("epsilon", 0);
    this.set("selected", name);
  }

  /** Move the weight to one of the places of its curve. */
  moveTo(index) {
    if (!this.curve) return;
    const { epsilons } = this.curve;
    this.set("epsilon", epsilons[clamp(index, 0, epsilons.length - 1)]);
  }

  // -- building -------------------------------------------------------------

  build() {
    this.title = html("div", { class: "bpnb-title" });
    this.verdict = html("div", { class: "bpnb-flow-verdict" });
    this.titles = steady(this.title, "bpnb-flow-titles");
    this.verdicts = steady(this.verdict, "bpnb-flow-verdicts");
    this.stand(
      "gradient_flow",
      "Gradient flow through a network",
      html("div", { class: "bpnb-bar" }, ...this.buildReplay(this.scene.turn), this.titles),
      html("div", { class: "bpnb-flow" }, this.verdicts, this.buildPictures(), this.buildMore()),
    );
    this.updateScene();
    this.updatePlay();
  }

  buildControls() {
    const get = (name) => this.model.get(name);
    const draw = () => this.set("seed", get("seed") + 1);
    const back = () => this.set("given", true);
    const settings = controls(
      this.controls.slider("depth", "layers", { min: 1, max: Math.max(10, get("depth")) }),
      this.controls.slider("width", "units a layer", { min: 1, max: Math.max(8, get("width")) }),
      this.buildScale(),
      this.controls.choice("activation", "activation", this.scene.activations),
      html("button", { type: "button", onclick: draw }, "Draw new weights"),
    );
    this.back = html("button", { type: "button", onclick: back }, "Back to what was given");
    const row = this.controls.slider("row", "input of the batch", { min: 0, max: this.scene.rows - 1 });
    const data = controls(...(this.scene.rows > 1 ? [row] : []), ...this.buildInputs(), this.back);
    for (const part of [settings, data]) part.dataset.kernel = "";
    const edges = controls(this.controls.choice("edges", "edges", ["weight", "gradient"]));
    return panel("Settings", { class: "bpnb-flow-settings" }, settings, data, edges);
  }

  buildScale() {
    const get = () => this.model.get("scale");
    const scale = namedRange("weight scale", {
      min: -10,
      max: 10,
      value: placeOfScale(get()),
      text: () => sliderText(get()),
      onchange: (place) => this.set("scale", scaleAt(place)),
    });
    this.controls.all.scale = { update: (value) => scale.update(placeOfScale(value)) };
    return scale;
  }

  buildInputs() {
    const input = this.model.get("input");
    if (input.length > MOST_INPUTS) return [];
    const sliders = input.map((value, k) => {
      const reach = Math.max(3, Math.ceil(Math.abs(value)));
      const onchange = (entry) => this.set("input", this.model.get("input").with(k, entry));
      const range = { min: -reach, max: reach, step: 0.05 };
      return namedRange(`x[${k}]`, { ...range, value, text: sliderText, onchange });
    });
    const update = (values) => sliders.forEach((each, k) => each.update(values[k]));
    this.controls.all.input = { update };
    return sliders;
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
    const reached = (name, label) => ({ class: `bpnb-flow-${name}`, role: "group", tabindex: 0, "aria-label": label });
    this.waterfall = html("div", reached("waterfall", "Bars"));
    this.stack = html("div", reached("stack", "Network and bars"), this.net, this.waterfall);
    this.legend = html("div", { class: "bpnb-legend bpnb-flow-legend" });
    return html("div", { class: "bpnb-flow-pictures" }, this.stack, this.legend);
  }

  /** What is not seen at first. */
  buildMore() {
    this.details = {
      settings: this.buildControls(),
      "one weight": this.buildWeight(),
      "layer by layer": this.buildLayers(),
    };
    this.more = html(
      "details",
      {
        class: "bpnb-flow-more",
        open: this.model.get("more"),
        ontoggle: () => this.set("more", this.more.open),
      },
      html("summary", {}, "more", span(": settings, one weight, layer by layer")),
      this.controls.choice("detail", "detail", Object.keys(this.details)),
      ...Object.values(this.details),
    );
    return this.more;
  }

  buildWeight() {
    const choose = () => this.select(this.chooser.value);
    const keep = () => this.set("weight", this.model.get("weight") + this.model.get("epsilon"));
    this.chooser = html("select", { "aria-label": "Weight or bias", onchange: choose });
    this.facts = html("div", { class: "bpnb-flow-facts bpnb-aside" });
    this.product = html("p", { class: "bpnb-flow-gradient-line" });
    this.batch = html("small", {});
    this.curveBox = html("div", {
      class: "bpnb-flow-curve",
      onpointerdown: (event) => this.onCurve(event),
    });
    this.slide = namedRange("\u03b5", {
      min: 0,
      max: 1,
      value: 0,
      text: () => this.texts?.epsilon ?? UNKNOWN,
      onchange: (index) => this.moveTo(index),
    });
    this.change = html("div", { class: "bpnb-flow-change" });
    const button = { type: "button", "data-kernel": true, onclick: keep };
    this.keep = html("button", button, "Keep this weight");
    return panel(
      "One weight",
      { class: "bpnb-flow-chosen-panel" },
      controls(html("h2", {}, "one weight or bias"), this.chooser),
      this.curveBox,
      controls(this.slide, this.keep),
      this.change,
      this.facts,
      this.product,
      this.batch,
    );
  }

  buildLayers() {
    const reached = { role: "group", tabindex: 0, "aria-label": "Numbers of each layer" }; // if it is wide
    this.table = html("div", { class: "bpnb-flow-table", ...reached });
    return panel("Layer by layer", {}, html("h2", {}, "layer by layer, backward"), this.table);
  }

  // -- updating -------------------------------------------------------------

  updateScene() {
    this.scene = this.model.get("scene");
    this.updateControls();
    const { units, waterfall } = this.scene;
    repaint(this.waterfall, waterfall);
    this.stack.style.setProperty("--width-of-both", units.width);
    this.stack.style.setProperty("--height-of-both", units.height + waterfall.height);
    this.batch.textContent = this.scene.batch;
    this.titles.reserve(this.frames.map((_, step) => this.titleOf(step)), "bpnb-title");
    const watched = new Set(this.frames.slice(0, -1).map(({ watch }) => watch));
    this.verdicts.reserve([...[...watched].map((watch) => [html("p", {}, watch)]), this.verdictParts()]);
    this.updateSelected();
    this.updateStep();
  }

  updateControls() {
    this.controls.update();
    rest(this.back, this.offline || this.model.get("given"));
    const shown = this.model.get("detail");
    for (const [name, detail] of Object.entries(this.details)) detail.hidden = name !== shown;
  }

  /** Make the network's picture: the chosen edge or unit, all edges, the units. */
  updateNetwork() {
    const { units, edges } = this.scene;
    const shown = edges[this.model.get("edges")];
    this.lines = edges.weight.shapes.filter(({ key }) => key?.startsWith("A"));
    repaint(this.net, { ...units, shapes: [...this.chosen(), ...shown.shapes, ...units.shapes] });
    this.controls.all.edges.update(this.model.get("edges"));
    this.updateLegend();
    showAt(this.net, this.step);
  }

  updateLegend() {
    const { units, edges, bars } = this.scene.legend;
    const looks = { value: "ramp bpnb-ramp-value", adjoint: "ramp bpnb-ramp-adjoint" };
    const look = (kind) => `bpnb-${looks[kind] ?? `flow-swatch bpnb-flow-swatch-${kind}`}`;
    const signs = [...units, ...edges[this.model.get("edges")], ...bars].map(({ kind, text }) =>
      explained(html("i", { class: look(kind) }), text),
    );
    redraw(this.legend, ...signs);
  }

  /** A broad light below the chosen edge, or a ring around the unit of a chosen bias. */
  chosen() {
    const key = keyOf(this.selected);
    const [kind, i, j] = key.split(":");
    const sought = kind === "b" ? `f:${Number(i) + 1}:${j}` : key;
    const shapes = kind === "b" ? this.scene.units.shapes : this.lines;
    const { points, centre } = shapes.find((shape) => shape.key === sought) ?? {};
    const light = { key: "chosen", stroke: "note" };
    if (points) return [{ ...light, kind: "line", points, width: 9 }];
    return centre ? [{ ...light, kind: "circle", centre, radius: 18, width: 6 }] : [];
  }

  titleOf(step) {
    const { phase, formulas } = this.frames[step];
    const parts = formulas.map((formula) => span(math(formula)));
    if (!parts.length) parts.push("the input is known, nothing is computed yet");
    return [
      html("strong", { class: phase === "Backward" ? "bpnb-back" : "bpnb-forth" }, phase),
      counter("step", step, this.last),
      html("span", { class: "bpnb-formulas" }, ...parts),
    ];
  }

  updateStep() {
    this.updateReplay(this.frames[this.step].words);
    redraw(this.title, ...this.titleOf(this.step));
    for (const part of [this.net, this.waterfall]) showAt(part, this.step);
    this.updateVerdict();
    this.updateFacts();
    this.updateTable();
  }

  /** What became of the gradient. */
  verdictParts() {
    const { text, start, ratio, factors } = this.scene.verdict;
    const parts = factors.map((factor, index) =>
      html(
        "span",
        { class: "bpnb-flow-factor-name" },
        index ? "\u00d7 " : "= ",
        html("i", { class: `bpnb-flow-swatch bpnb-flow-swatch-${factor.kind}` }),
        factor.text,
      ),
    );
    const whole = [text, start, ratio].map((each) => html("p", {}, each));
    whole.at(-1).append(...parts.flatMap((part) => [" ", part]));
    return whole;
  }

  /** Say what became of the gradient; on the way there, what to watch for. */
  updateVerdict() {
    const watch = html("p", {}, this.frames[this.step].watch);
    redraw(this.verdict, ...(this.step < this.last ? [watch] : this.verdictParts()));
  }

  updateTable() {
    const [, ...columns] = this.scene.table.columns;
    const names = columns.map((text) => html("th", { scope: "col" }, text.replace("\u2264 ", "\u2264\u00a0")));
    const body = this.scene.table.rows.map(({ layer, since, cells }) =>
      html(
        "tr",
        { class: since === this.step ? "bpnb-flow-current-row" : "" },
        html("th", { scope: "row" }, `layer ${layer}`),
        ...cells.map((text) => html("td", {}, since <= this.step ? text : "\u00b7")),
      ),
    );
    const head = html("thead", {}, html("tr", {}, html("td", {}), ...names));
    redraw(this.table, html("table", {}, head, html("tbody", {}, ...body)));
  }

  /** Another weight or bias is chosen, or its curve has come. */
  updateSelected() {
    if (this.scene !== this.model.get("scene")) return; // whose own turn will come
    const { names, curve } = this;
    // A new scene, another selection and its curve may come together.
    const now = [this.scene, this.selected, curve];
    if (now.every((each, k) => each === this.shown?.[k])) return;
    this.shown = now;
    if (String(names) !== this.offered) {
      this.offered = String(names);
      const group = (kind, label) => {
        const found = names.filter((name) => name.startsWith(kind));
        const options = found.map((name) => html("option", { value: name }, name));
        return html("optgroup", { label }, ...options);
      };
      this.chooser.replaceChildren(group("A", "weights"), group("b", "biases"));
    }
    this.chooser.value = this.selected;
    this.updateNetwork();
    this.updateFacts();
    const input = this.slide.querySelector("input");
    rest(input, !curve);
    if (curve) input.max = curve.epsilons.length - 1;
    else if (this.offline) {
      const missing = "The curve of this weight needs a running notebook.";
      this.curveBox.replaceChildren(html("em", {}, missing));
    }
    this.updateEpsilon(false);
  }

  /** The numbers of the chosen weight and of its unit, as far as they are known. */
  updateFacts() {
    const { about } = this;
    const known = (text, since) => (since <= this.step ? text : UNKNOWN);
    const facts = (about?.facts ?? []).map(({ name, text, since }) =>
      reading(html("b", {}, known(text, since)), ...withSymbols(name)),
    );
    redraw(this.facts, ...facts);
    if (!about) return redraw(this.product);
    const worked = about.since <= this.step ? about.worked : "";
    const slope = html("b", {}, known(about.slope, about.since));
    redraw(this.product, ...withSymbols(about.rule + worked), slope);
  }

  /** Show the curve with its marks where the weight is. */
  updateEpsilon(aloud) {
    const { curve, place } = this;
    this.texts = curve?.texts[place];
    this.slide.update(place);
    rest(this.keep, this.offline || !this.model.get("epsilon"));
    redraw(
      this.change,
      ...Object.entries(CHANGES).map(([what, text]) => {
        const number = html("b", {}, this.texts?.[what] ?? UNKNOWN);
        return html("div", { class: `bpnb-flow-change-${what}` }, span(text), number);
      }),
    );
    if (!curve) return;
    const marks = marksAt(curve.places[place], curve.base);
    repaint(this.curveBox, patched(curve.picture, marks));
    const { weight, change, linear, difference } = this.texts;
    if (aloud) {
      this.say(
        `${this.selected} at ${weight}: actual change ${change}, gradient times epsilon ` +
          `${linear}, difference ${difference}.`,
      );
    }
  }

  // -- pointer and keys ------------------------------------------------------

  /** What the pointer is at: the weight of an edge, the bias of a unit, or null. */
  under({ target, clientX, clientY }) {
    const unit = target.closest("circle[data-key], rect[data-key]");
    const { left, top, width } = this.net.firstChild.getBoundingClientRect();
    const scale = this.scene.units.width / width;
    const at = [(clientX - left) * scale, (clientY - top) * scale];
    const name = chosenBy(unit?.dataset.key ?? edgeAt(this.lines, at, REACH) ?? undefined);
    return this.names.includes(name) ? name : null;
  }

  /** Choose what is pressed, and move it as the pointer goes up or down. */
  onPress(event) {
    const name = this.under(event);
    if (event.button !== 0 || !name) return;
    event.preventDefault();
    this.net.focus({ preventScroll: true });
    this.select(name);
    const { enters } = this;
    let from = null;
    const move = ({ clientY }) => {
      from ??= this.curve ? this.place : null; // the curve may still be on its way
      if (from !== null) this.moveTo(from + Math.round((event.clientY - clientY) / DRAG));
    };
    // A mere click that gave the view the focus opens nothing.
    drag(event, this.net, move, () => (enters && !this.model.get("epsilon")) || this.showWeight());
  }

  onCurve(event) {
    if (event.button !== 0 || !this.curve) return;
    event.preventDefault();
    const move = ({ clientX }) => {
      const { left, width } = this.curveBox.firstChild.getBoundingClientRect();
      const x = ((clientX - left) * this.curve.picture.width) / width;
      this.moveTo(nearest(this.curve.places.map(([across]) => across), x));
    };
    move(event);
    drag(event, this.curveBox, move, () => this.showWeight());
  }

  showWeight() {
    this.model.set("detail", "one weight");
    this.set("more", true);
  }

  actions(event) {
    const actions = super.actions(event);
    if (event.target !== this.net) return actions;
    for (const key of ARROW_KEYS) {
      actions[key] = () => this.walkTo(neighbourOf(this.names, this.selected, key));
    }
    for (const key of ["+", "="]) actions[key] = () => this.moveTo(this.place + 1);
    for (const key of ["-", "\u2212"]) actions[key] = () => this.moveTo(this.place - 1);
    actions.Escape = () => this.set("epsilon", 0);
    return actions;
  }

  walkTo(name) {
    this.select(name);
    const { value, slope, since } = this.scene.parameters[name] ?? {};
    const gradient = since <= this.step ? slope : "not yet known";
    if (value) this.say(`${name} = ${value}, gradient ${gradient}.`);
  }
}

// Named, so that page.mjs can follow in the same script.
const widget = live(FlowView, clock);
export default widget;
