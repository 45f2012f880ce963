// ChainRule; the scene is ChainScene in schema.py.
// First half: pure functions.  Second half: the page.
import {
  Controls, big, clamp, clock, counter, explained, focusInside, heatRamp, html, live, math, operator, panel,
  patched, pictureOf, repaint, Replay, scrollInside, whenPointed,
} from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** The chain that is shown; of a large network the scene holds one only. */
export const chainOf = (scene, i) => scene.chains[i] ?? Object.values(scene.chains)[0];

/** Which list of frames is replayed. */
export const wayOf = (side, section) => (section === "product" ? side : "transposes");

/** Which of so many factors a step is about; from the right the last one comes first. */
export const metAt = (way, step, count) => (way === "right" ? count - 1 - step : step);

/** What a factor has to do with a step: multiplied already, being multiplied, or not yet. */
export function roleOf(way, step, count, index) {
  const met = metAt(way, index, count);
  if (met === step) return "now";
  return met < step ? "done" : "later";
}

/** Whether a part of the network, by its key, is one that a factor lights. */
export const isLit = (key, lit) =>
  lit.some((start) => key === start || key.startsWith(`${start}:`));

/** The factors that light a part of the network. */
export const factorsAt = (scene, names, key) =>
  names.filter((name) => isLit(key, scene.matrices[name].lit));

/** Matrices, each with the sign in front of it, so that no line ends in a sign. */
export function withSigns(items, matrices) {
  const groups = [[]];
  for (const item of items) {
    groups.at(-1).push(item);
    if (item in matrices) groups.push([]);
  }
  return groups.slice(0, -1);
}

const LOWERED = "₀₁₂₃₄₅₆₇₈₉";
/** A number as a subscript in plain text. */
export const lowered = (number) => [...String(number)].map((digit) => LOWERED[digit]).join("");

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const MANY_LAYERS = 6; // more θ_i than this are chosen by a slider
const STACKED = 16; // so many elements at most are made before they are seen
const BROAD = 560; // a product wider than this has no room beside the network, or its code
const MARGIN = 12; // of a panel, into which a matrix may reach
const SMALLER = ["bpnb-cr-tight", "bpnb-cr-tighter"]; // what gives way, one after the other
const OPERATORS = { "·": "times", "=": "equals" };
const SECTIONS = [["product", "the product"], ["transposes", "where the transpose comes from"]];
const SIDES = [["left", "from the left"], ["right", "from the right"]];

const small = (text) => html("small", {}, text);
const headed = (title, ...children) => [html("h2", {}, title), ...children];

/** Name, shape and heat map of a matrix, from top to bottom. */
const matrixParts = ({ math: name, shape, picture: heat }) => [
  html("span", { class: "bpnb-cr-name" }, math(name)),
  small(shape),
  pictureOf({ ...heat, alt: "" }),
];

/** A panel that shows one of some elements, and the room that all of them need: so nothing below it moves. */
class Stack {
  constructor(make, area, label, kind = "") {
    this.make = make;
    this.panel = panel(label, { class: `bpnb-cr-${area} ${kind}` });
    this.room = html("div", { class: `bpnb-panel bpnb-cr-room ${kind}`, style: `grid-area:${area}` });
    this.made = new Map();
  }

  /** Begin anew; many elements wait until they are shown. */
  fill(names) {
    this.made.clear();
    for (const part of [this.panel, this.room]) part.replaceChildren();
    if (names.length <= STACKED) for (const name of names) this.add(name);
  }

  add(name) {
    this.made.set(name, this.make(name));
    this.room.append(this.made.get(name));
  }

  show(name) {
    if (!this.made.has(name)) this.add(name);
    const shown = this.made.get(name);
    if (this.panel.contains(shown)) return;
    this.room.append(...this.panel.children);
    this.panel.append(shown);
  }
}

class ChainView extends Replay {
  constructor(model, el) {
    super(model, el);
    this.controls = new Controls(this);
    this.lit = null;
    this.alone = new Set(); // the steps that have the whole width
    this.follow(() => this.reload(), "scene");
    this.follow(() => this.turn(), "i", "side", "section");
    this.follow(() => this.update(), "step", "selected");
    this.follow(() => this.updateControls(), "row");
    this.follow(() => this.updatePlay(), "playing");
    this.build();
    this.resize = new ResizeObserver(() => this.updateRoom());
    this.resize.observe(this.root);
  }

  dispose() {
    super.dispose();
    this.resize.disconnect();
  }

  get chain() {
    return chainOf(this.scene, this.model.get("i"));
  }

  get isProduct() {
    return this.model.get("section") === "product";
  }

  get way() {
    return wayOf(this.model.get("side"), this.model.get("section"));
  }

  get frames() {
    return this.chain.frames[this.way];
  }

  /** The factors of the section, by name. */
  get names() {
    return this.isProduct ? this.chain.factors : this.chain.steps;
  }

  /** The factor that the step is about, if there is one. */
  get current() {
    return this.names[metAt(this.way, this.step, this.names.length)];
  }

  /** Turn to another chain, side or section; the step stays as far as it can. */
  choose(changes) {
    for (const [trait, value] of Object.entries(changes)) this.model.set(trait, value);
    this.model.set("step", "section" in changes ? 0 : this.step);
    if (!this.names.includes(this.model.get("selected"))) this.model.set("selected", "");
    this.model.save_changes();
  }

  select(name) {
    this.set("selected", name === this.model.get("selected") ? "" : name);
  }

  // -- building -------------------------------------------------------------

  build() {
    this.title = html("div", { class: "bpnb-title" });
    this.equation = html("span", { class: "bpnb-cr-equation" });
    this.question = html("span", {});
    this.answer = html("div", {});
    const strip = { class: "bpnb-cr-strip", role: "group", "aria-label": "The factors" };
    this.strip = html("div", strip);
    this.steps = new Stack((step) => this.buildStep(this.frames[step]), "stage", "This step");
    const about = (name) => this.aboutFactor(this.scene.matrices[name]);
    this.about = new Stack(about, "factor", "One factor", "bpnb-aside");
    this.network = panel("The network", { class: "bpnb-cr-network" });
    this.side = panel("", { class: "bpnb-cr-side" });
    const summary = html("summary", {}, this.question, this.equation);
    this.reading = html("details", { class: "bpnb-panel bpnb-cr-reading bpnb-aside" }, summary, this.answer);
    this.legend = html("div", { class: "bpnb-legend bpnb-aside" });
    const { steps, about: { panel: factor, room } } = this;
    const parts = [this.strip, steps.room, steps.panel, this.side, this.network, room, factor, this.reading];
    this.stand(
      "chain_rule",
      this.scene.alt,
      html("div", { class: "bpnb-bar" }, ...this.buildReplay(), this.title),
      this.buildControls(),
      html("div", { class: "bpnb-cr-grid" }, ...parts),
      this.legend,
    );
    this.root.classList.toggle("bpnb-cr-wide", this.scene.wide);
    whenPointed(this.root, "[data-matrix]", (each) => this.light(each?.dataset.matrix ?? null));
    this.reload();
    this.updatePlay();
  }

  buildControls() {
    const { K, complete, rows } = this.scene;
    const all = Array.from({ length: K }, (_, i) => [i, `θ${lowered(i)}`]);
    const turnTo = (trait) => (value) => this.choose({ [trait]: value });
    this.controls.choice("section", "show", SECTIONS, turnTo("section"));
    if (K > MANY_LAYERS) this.controls.slider("i", "θ_i with i =", { min: 0, max: K - 1, onchange: turnTo("i") });
    else this.controls.choice("i", "by", all, turnTo("i"));
    this.controls.choice("side", "multiply", SIDES, turnTo("side"));
    if (!complete) this.controls.all.i.dataset.kernel = "";
    if (rows > 1) this.controls.slider("row", "row", { min: 0, max: rows - 1 }).dataset.kernel = "";
    const controls = Object.values(this.controls.all);
    return html("div", { class: "bpnb-controls bpnb-cr-controls" }, ...controls);
  }

  /** Show another scene in the place of the one before; the controls stay. */
  reload() {
    this.scene = this.model.get("scene");
    const { equation, legend, batch } = this.scene;
    const mark = (role, text) => explained(html("i", { class: `bpnb-cr-mark bpnb-cr-${role}` }), text);
    const texts = ["[chain-general]", batch].filter(Boolean);
    this.equation.replaceChildren(math(equation), ...texts.map(small));
    this.network.replaceChildren(...headed("the network", this.buildNetwork()));
    this.legend.replaceChildren(
      ...["adjoint", "value"].map((family) => explained(heatRamp(family), legend[family])),
      ...["grey is zero", legend.sizes].map((text) => html("span", {}, text)),
      mark("done", "multiplied so far"),
      mark("now", "multiplied now"),
    );
    this.turn();
  }

  buildNetwork() {
    const drawing = pictureOf(this.scene.network);
    this.parts = [...drawing.querySelectorAll("[data-key]")];
    for (const part of this.parts) {
      part.addEventListener("pointerenter", () => this.point(part.dataset.key));
      part.addEventListener("pointerleave", () => this.point(null));
    }
    // A long one scrolls, by keyboard too; any other shrinks.
    const isLong = this.scene.K > MANY_LAYERS;
    drawing.classList.toggle("bpnb-cr-long", isLong);
    const reached = isLong ? { role: "group", tabindex: 0, "aria-label": "Network" } : {};
    return (this.frameOfNetwork = html("div", { class: "bpnb-cr-scroll", ...reached }, drawing));
  }

  /** Show another chain, side or section. */
  turn() {
    this.root.classList.toggle("bpnb-cr-transposes", !this.isProduct);
    this.updateControls();
    this.buildStrip();
    this.steps.fill(this.frames.map((_, step) => step));
    this.about.fill(this.names);
    this.buildSide();
    this.update();
    this.updateRoom();
  }

  /**
   * For a projector: a step that has no room beside the network, or its code, stands alone; if
   * that is too little, or the factors above are too wide, they give way.
   */
  updateRoom() {
    const { classList } = this.root;
    this.alone.clear();
    classList.remove(...SMALLER);
    if (this.model.get("presenting")) {
      const steps = this.frames.length > STACKED ? [this.step] : [...this.frames.keys()];
      for (const name of ["", ...SMALLER]) {
        if (name) classList.add(name);
        this.alone.clear();
        for (const step of steps) if (!this.hasRoom(step)) this.alone.add(step);
        const whole = name || this.strip.scrollWidth <= this.strip.clientWidth;
        if (whole && [...this.alone].every((step) => this.hasRoom(step))) break;
      }
    }
    this.showStep(this.step);
  }

  hasRoom(step) {
    this.showStep(step);
    const { panel: stage, made } = this.steps;
    const shown = made.get(step);
    const { bottom } = shown.getBoundingClientRect();
    const fits = shown.scrollWidth <= shown.clientWidth + MARGIN;
    return fits && bottom <= stage.getBoundingClientRect().bottom;
  }

  showStep(step) {
    this.steps.show(step);
    this.root.classList.toggle("bpnb-cr-alone", this.alone.has(step));
  }

  buildStrip() {
    const focused = this.blocks?.indexOf(focusInside(this.root)) ?? -1;
    this.blocks = this.names.map((name) => {
      const matrix = this.scene.matrices[name];
      return html(
        "button",
        {
          type: "button",
          class: "bpnb-cr-block",
          "data-factor": name,
          "data-matrix": name,
          "aria-label": matrix.words,
          onclick: () => this.select(name),
          onfocus: ({ target }) => this.light(target.matches(":focus-visible") ? name : null),
          onblur: () => this.light(null),
        },
        ...matrixParts(matrix),
      );
    });
    const symbol = html("span", { class: "bpnb-cr-name" }, math(this.chain.math));
    this.strip.replaceChildren(...(this.isProduct ? [symbol, operator("=")] : []), ...this.blocks);
    if (focused >= 0) this.focusBlock(focused);
  }

  focusBlock(index) {
    this.blocks[clamp(index, 0, this.blocks.length - 1)].focus({ preventScroll: true });
  }

  /** What one step multiplies, and what is said of it. */
  buildStep({ lines, notes }) {
    return html(
      "div",
      { class: "bpnb-cr-step" },
      html("div", { class: "bpnb-cr-notes" }, ...notes.map((note) => html("p", {}, note))),
      html("div", { class: "bpnb-cr-lines" }, ...lines.map((line) => this.line(line))),
    );
  }

  line({ title, items }) {
    const { matrices } = this.scene;
    const product = items.includes("=") && items.some((each) => this.names.includes(each));
    const width = items.reduce((sum, each) => sum + (matrices[each]?.picture.width ?? 0), 0);
    const broad = (most, kind) => product && width > most && kind;
    const kinds = [
      "bpnb-cr-line",
      product && "bpnb-cr-product",
      title && this.isProduct && "bpnb-cr-cut",
      broad(BROAD, "bpnb-cr-broad"),
      broad(BROAD / 1.3, "bpnb-cr-broader"),
    ];
    const groups = withSigns(items, matrices).map((group) =>
      html("div", { class: "bpnb-cr-group" }, ...group.map((item) => this.item(item))),
    );
    return html(
      "div",
      { class: kinds.filter(Boolean).join(" ") },
      title ? html("code", { class: "bpnb-cr-title" }, title) : null,
      html("div", { class: "bpnb-cr-items" }, ...groups),
    );
  }

  /** A matrix by its name, or a sign between two. */
  item(name) {
    const matrix = this.scene.matrices[name];
    const label = matrix?.words ?? OPERATORS[name] ?? name;
    const attributes = { role: "img", "aria-label": label };
    if (!matrix) return html("span", { class: "bpnb-operator", ...attributes }, name);
    return html("div", { class: "bpnb-cr-matrix", "data-matrix": name, ...attributes }, ...matrixParts(matrix));
  }

  /** All that there is to say of one factor, or of another matrix that is pointed at. */
  aboutFactor({ numbers, layout, notes, shape, name, family, math: formula }) {
    const texts = notes.map((text) => html("p", {}, text));
    if (layout) texts.splice(1, 0, html("code", { class: "bpnb-cr-layout" }, layout));
    return html(
      "div",
      { class: "bpnb-cr-about" },
      html("h2", { class: "bpnb-cr-head" }, math(formula), small(shape)),
      html("div", { class: "bpnb-cr-text" }, ...texts),
      numbers ? big(numbers, family, name) : null,
    );
  }

  /** Why nobody builds the Jacobians, or the code that the steps become. */
  buildSide() {
    const { why, code, introduction } = this.chain;
    this.side.setAttribute("aria-label", this.isProduct ? "What it costs" : "The steps as code");
    this.code = code.map((line) => html("span", { class: "bpnb-cr-code" }, line));
    const reasons = html("ul", {}, ...why.map((text) => html("li", {}, text)));
    if (!this.isProduct) {
      this.side.replaceChildren(...headed("the same steps as code", html("pre", {}, ...this.code)));
    }
    this.question.textContent = this.isProduct ? "why the Jacobians are never built" : "rows and columns";
    this.answer.replaceChildren(this.isProduct ? reasons : html("p", {}, introduction));
    this.reading.open = !this.isProduct;
  }

  // -- updating -------------------------------------------------------------

  updateControls() {
    this.controls.update();
    this.controls.all.side.disabled = !this.isProduct;
  }

  update() {
    const { step, way, names, current } = this;
    const frame = this.frames[step];
    if (frame !== this.frame) this.lit = null; // what is pointed at gives way to a step
    this.frame = frame;
    this.root.classList.toggle("bpnb-cr-right", way === "right");
    this.slider.style.setProperty("--turn", way === "right" ? "100%" : "0%"); // forward or backward
    this.updateReplay(frame.words);
    this.updateTitle(frame);
    this.blocks.forEach((block, index) => {
      const role = roleOf(way, step, names.length, index);
      for (const each of ["now", "done", "later"]) {
        block.classList.toggle(`bpnb-cr-${each}`, each === role);
      }
      block.setAttribute("aria-pressed", String(names[index] === this.model.get("selected")));
      if (role === "now") scrollInside(block, this.strip);
    });
    this.showStep(step);
    if (this.isProduct) {
      repaint(this.side, patched(this.chain.costs, frame.paid));
    } else {
      this.code.forEach((line, index) => line.classList.toggle("bpnb-cr-now", index === step));
      if (current) scrollInside(this.code[step]);
    }
    this.updateLit();
  }

  updateTitle({ title }) {
    const parts = title.map((name) => {
      const matrix = name === this.chain.name ? this.chain : this.scene.matrices[name];
      return matrix ? math(matrix.math) : operator(name);
    });
    const kind = this.way === "right" ? "bpnb-forth" : "bpnb-back";
    this.title.replaceChildren(
      html("strong", { class: kind }, this.isProduct ? `From the ${this.way}` : "Step back"),
      counter("step", this.step, this.last),
      html("span", { class: "bpnb-formulas" }, ...parts),
    );
  }

  /** Light what a factor has to do with: the one pointed at, else the selected or current one. */
  updateLit() {
    const name = this.lit ?? (this.model.get("selected") || this.current);
    const lit = name ? this.scene.matrices[name].lit : null;
    for (const part of this.parts) {
      part.classList.toggle("bpnb-cr-dim", lit !== null && !isLit(part.dataset.key, lit));
    }
    const shown = name ?? this.names.at(-1); // which is cut at the end
    if (shown) this.about.show(shown);
    if (lit) this.showLit(lit);
  }

  /** Scroll a network that is wider than its frame to what is lit. */
  showLit(lit) {
    const frame = this.frameOfNetwork;
    const part = this.parts.find(({ dataset, cx }) => cx && isLit(dataset.key, lit));
    if (!part || frame.scrollWidth <= frame.clientWidth) return;
    frame.scrollLeft = part.cx.baseVal.value - frame.clientWidth / 2;
  }

  light(name) {
    this.lit = name;
    this.updateLit();
  }

  /** Frame the factors of a part of the network. */
  point(key) {
    const names = key ? factorsAt(this.scene, this.names, key) : [];
    this.blocks.forEach((block, index) => {
      block.classList.toggle("bpnb-cr-pointed", names.includes(this.names[index]));
    });
  }

  actions(event) {
    const actions = super.actions(event);
    const at = this.blocks.indexOf(event.target);
    actions.Escape = () => this.set("selected", "");
    if (at >= 0) {
      delete actions[" "]; // a button's own key
      actions.ArrowLeft = () => this.focusBlock(at - 1);
      actions.ArrowRight = () => this.focusBlock(at + 1);
    }
    return actions;
  }
}

const framesOf = (model) => {
  const way = wayOf(model.get("side"), model.get("section"));
  return chainOf(model.get("scene"), model.get("i")).frames[way];
};

const widget = live(ChainView, (context) => clock(context, { framesOf }));
export default widget;
