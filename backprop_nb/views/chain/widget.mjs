// ChainRule.  First half: pure functions.  Second half: the page.
import { choice, clock, html, live, math, operator, panel, picture, big, Replay, scrollInside, slider } from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** The chain that is shown; of a large network the scene holds one only. */
export const chainOf = (scene, i) => scene.chains[i] ?? Object.values(scene.chains)[0];

/** Which list of frames is replayed. */
export const wayOf = (side, section) => (section === "product" ? side : "transposes");

/** The factors of a section, by name. */
export const factorsOf = (chain, section) => (section === "product" ? chain.factors : chain.steps);

/** What a factor has to do with a step: multiplied already, being multiplied, or not yet. */
export function roleOf(frame, index) {
  if (frame.now.includes(index)) return "now";
  return frame.done.includes(index) ? "done" : "later";
}

/** Whether a part of the network, by its key, is one that a factor lights. */
export const isLit = (key, lit) => lit.some((start) => key === start || key.startsWith(`${start}:`));

/** The factors that light a part of the network. */
export const factorsAt = (scene, names, key) => names.filter((name) => isLit(key, scene.matrices[name].lit));

/** Matrices, each with the sign in front of it, so that no line ends in a sign. */
export function withSigns(items, matrices) {
  const groups = [];
  let signs = [];
  for (const item of items) {
    signs.push(item);
    if (!(item in matrices)) continue;
    groups.push(signs);
    signs = [];
  }
  return groups;
}

const LOWERED = "₀₁₂₃₄₅₆₇₈₉";
/** A number as a subscript in plain text. */
export const lowered = (number) => [...String(number)].map((digit) => LOWERED[digit]).join("");

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const MANY_LAYERS = 6; // more θ_i than this are chosen by a slider
const STACKED = 16; // so many frames at most stand on top of each other, which keeps heights still
const BROAD = 600; // a product wider than this has no room beside the network and above its code
const OPERATORS = { "·": "times", "=": "equals" };

class Chain extends Replay {
  constructor(model, el) {
    super(model, el);
    this.lit = null;
    this.listen("change:scene", () => this.reload());
    for (const trait of ["i", "side", "section"]) this.listen(`change:${trait}`, () => this.turn());
    this.listen("change:step", () => this.update());
    this.listen("change:selected", () => this.update());
    this.listen("change:row", () => this.updateControls());
    this.listen("change:playing", () => this.updatePlay());
    this.build();
  }

  get chain() {
    return chainOf(this.scene, this.model.get("i"));
  }

  get section() {
    return this.model.get("section");
  }

  get way() {
    return wayOf(this.model.get("side"), this.section);
  }

  get frames() {
    return this.chain[this.way];
  }

  get names() {
    return factorsOf(this.chain, this.section);
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
    this.strip = html("div", { class: "bpnb-cr-strip", role: "group", "aria-label": "The factors" });
    this.stage = panel("This step", { class: "bpnb-cr-stage" });
    this.network = panel("The network", { class: "bpnb-cr-network" });
    this.factor = panel("One factor", { class: "bpnb-cr-factor" });
    this.side = panel("", { class: "bpnb-cr-side" });
    this.reading = html("div", { class: "bpnb-panel bpnb-cr-reading" });
    this.legend = html("div", { class: "bpnb-legend" });
    this.equation = html("div", { class: "bpnb-cr-equation" });
    const top = html("div", { class: "bpnb-cr-top" }, this.equation, this.strip);
    // The network stands beside the factors, or where they need all the room beside the step.
    const column = (kind, ...panels) => html("div", { class: `bpnb-cr-column bpnb-cr-${kind}` }, ...panels);
    const { wide, tall } = this.scene;
    const main = tall ? [this.stage] : [this.stage, this.factor];
    const rows = wide
      ? [[top], [column("main", ...main), column("beside", this.network, this.side)], ...(tall ? [[this.factor]] : [])]
      : [[top, this.network], [this.stage], [this.factor, this.side]];
    this.stand(
      "chain_rule",
      this.scene.alt,
      html("div", { class: "bpnb-bar" }, ...this.buildReplay(), this.title),
      this.buildControls(),
      ...[...rows, [this.reading]].map((row) => html("div", { class: "bpnb-cr-row" }, ...row)),
      this.legend,
    );
    this.reload();
    this.updatePlay();
  }

  buildControls() {
    const { K, complete, rows } = this.scene;
    const onchange = (i) => this.choose({ i: Number(i) });
    this.controls = [
      ["section", choice("show", [["product", "the product"], ["transposes", "where the transpose comes from"]], { value: this.section, onchange: (section) => this.choose({ section }) })],
      [
        "i",
        K > MANY_LAYERS
          ? slider("θ_i with i =", { min: 0, max: K - 1, value: this.model.get("i"), onchange })
          : choice("by", Array.from({ length: K }, (_, i) => [i, `θ${lowered(i)}`]), { value: this.model.get("i"), onchange }),
      ],
      ["side", choice("multiply", [["left", "from the left"], ["right", "from the right"]], { value: this.model.get("side"), onchange: (side) => this.choose({ side }) })],
    ];
    if (!complete) this.controls[1][1].setAttribute("data-kernel", "");
    if (rows > 1) {
      const row = slider("row", { min: 0, max: rows - 1, value: this.model.get("row"), onchange: (value) => this.set("row", value) });
      row.setAttribute("data-kernel", "");
      this.controls.push(["row", row]);
    }
    return html("div", { class: "bpnb-controls bpnb-cr-controls" }, ...this.controls.map(([, control]) => control));
  }

  /** Show another scene in the place of the one before; the controls stay. */
  reload() {
    this.scene = this.model.get("scene");
    const { equation, legend, batch } = this.scene;
    this.equation.replaceChildren(math(equation), html("small", {}, "[chain-general]"), batch ? html("small", {}, batch) : "");
    this.network.replaceChildren(html("h2", {}, "the network"), this.buildNetwork());
    const scale = (family) => html("span", { class: "bpnb-scale" }, html("i", { class: `bpnb-ramp bpnb-ramp-${family}` }), legend[family]);
    const mark = (role, text) => html("span", { class: "bpnb-scale" }, html("i", { class: `bpnb-cr-mark bpnb-cr-${role}` }), text);
    this.legend.replaceChildren(scale("adjoint"), scale("value"), html("span", {}, "grey is zero"), html("span", {}, legend.sizes), mark("done", "multiplied so far"), mark("now", "multiplied now"));
    this.turn();
  }

  buildNetwork() {
    const drawing = picture(this.scene.network);
    this.parts = [...drawing.querySelectorAll("[data-key]")];
    for (const part of this.parts) {
      part.addEventListener("pointerenter", () => this.point(part.dataset.key));
      part.addEventListener("pointerleave", () => this.point(null));
    }
    drawing.classList.toggle("bpnb-cr-long", this.scene.K > MANY_LAYERS); // it scrolls, else it shrinks
    return (this.frameOfNetwork = html("div", { class: "bpnb-cr-scroll" }, drawing));
  }

  /** Show another chain, side or section. */
  turn() {
    this.updateControls();
    this.slider.max = this.last;
    this.buildStrip();
    this.buildStage();
    this.buildFactors();
    this.buildSide();
    this.update();
  }

  buildStrip() {
    const { matrices } = this.scene;
    const focused = this.blocks?.findIndex((block) => block === document.activeElement) ?? -1;
    this.blocks = this.names.map((name) => {
      const matrix = matrices[name];
      return html(
        "button",
        {
          type: "button",
          class: "bpnb-cr-block",
          "data-factor": name,
          "aria-label": matrix.words,
          onclick: () => this.select(name),
          onfocus: (event) => this.light(event.target.matches(":focus-visible") ? name : null),
          onblur: () => this.light(null),
          onpointerenter: () => this.light(name),
          onpointerleave: () => this.light(null),
        },
        ...this.matrix(matrix),
      );
    });
    const left = this.section === "product" ? [html("span", { class: "bpnb-cr-name" }, math(this.chain.math)), operator("=")] : [];
    this.strip.replaceChildren(...left, ...this.blocks);
    if (focused >= 0) this.blocks[Math.min(focused, this.blocks.length - 1)].focus({ preventScroll: true });
  }

  /** Name, shape and heat map of a matrix, from top to bottom. */
  matrix({ math: name, shape, picture: heat }) {
    return [html("span", { class: "bpnb-cr-name" }, math(name)), html("small", {}, shape), picture({ ...heat, alt: "" })];
  }

  /** All frames on top of each other, so that nothing moves from one to the next. */
  buildStage() {
    this.moments = this.frames.length <= STACKED ? this.frames.map((frame) => this.moment(frame)) : null;
    this.stage.replaceChildren(html("div", { class: "bpnb-cr-moments" }, ...(this.moments ?? [])));
  }

  moment({ lines, notes }) {
    const { matrices } = this.scene;
    const item = (name) => {
      const matrix = matrices[name];
      if (!matrix) return html("span", { class: "bpnb-operator", role: "img", "aria-label": OPERATORS[name] ?? name }, name);
      return html(
        "div",
        { class: "bpnb-cr-matrix", role: "img", "aria-label": matrix.words, onpointerenter: () => this.light(name), onpointerleave: () => this.light(null) },
        ...this.matrix(matrix),
      );
    };
    const line = ({ title, items }) => {
      const groups = withSigns(items, matrices).map((group) => html("div", { class: "bpnb-cr-group" }, ...group.map(item)));
      // Where there is little room, factors that stand in the strip are here without their maps.
      const product = items.includes("=") && items.some((each) => this.names.includes(each));
      const width = items.reduce((sum, each) => sum + (matrices[each]?.picture.width ?? 0), 0);
      const kind = [product && "bpnb-cr-product", product && title && width > BROAD && "bpnb-cr-broad"];
      return html(
        "div",
        { class: ["bpnb-cr-line", ...kind].filter(Boolean).join(" ") },
        title ? html("code", { class: "bpnb-cr-title" }, title) : null,
        html("div", { class: "bpnb-cr-items" }, ...groups),
      );
    };
    return html(
      "div",
      { class: "bpnb-cr-moment" },
      html("div", { class: "bpnb-cr-notes" }, ...notes.map((note) => html("p", {}, note))),
      html("div", { class: "bpnb-cr-lines" }, ...lines.map(line)),
    );
  }

  /** The factors one by one, on top of each other as the frames are. */
  buildFactors() {
    this.about = new Map();
    this.shownFactor = null;
    this.factor.replaceChildren(html("div", { class: "bpnb-cr-moments" }));
    if (this.names.length <= STACKED) for (const name of this.names) this.tell(this.scene.matrices[name]);
  }

  /** Make what is told of one factor, or of another matrix that is pointed at. */
  tell(matrix) {
    const { numbers, layout, meaning, zeros, note, shape, name } = matrix;
    const head = html("h2", { class: "bpnb-cr-head" }, math(matrix.math), html("small", {}, shape));
    const texts = [];
    if (meaning) texts.push(html("p", {}, meaning));
    if (layout) texts.push(html("code", { class: "bpnb-cr-layout" }, layout));
    for (const text of [note, zeros]) if (text) texts.push(html("p", {}, text));
    const parts = [head, html("div", { class: "bpnb-cr-text" }, ...texts), numbers ? big(numbers, matrix.family, name) : null];
    this.about.set(matrix, html("div", { class: "bpnb-cr-about" }, ...parts));
    this.factor.firstElementChild.append(this.about.get(matrix));
  }

  /** What the product costs and why nobody builds it, or the code that the steps become. */
  buildSide() {
    const { chain } = this;
    this.code = [];
    if (this.section === "product") {
      this.side.setAttribute("aria-label", "What it costs");
      this.costs = picture(chain.costs);
      this.side.replaceChildren(this.costs);
      const why = chain.why.map((text) => html("li", {}, text));
      this.reading.replaceChildren(html("h2", {}, "why the Jacobians are never built"), html("ul", {}, ...why));
      return;
    }
    this.side.setAttribute("aria-label", "The steps as code");
    this.code = chain.code.map((line) => html("span", { class: "bpnb-cr-code" }, line));
    this.side.replaceChildren(html("h2", {}, "the same steps as code"), html("pre", {}, ...this.code));
    this.reading.replaceChildren(html("h2", {}, "rows and columns"), html("p", {}, chain.introduction));
  }

  // -- updating -------------------------------------------------------------

  updateControls() {
    for (const [trait, control] of this.controls) control.update(this.model.get(trait));
    this.controls[2][1].disabled = this.section !== "product";
  }

  update() {
    const { step, frames } = this;
    const frame = (this.frame = frames[step]);
    this.root.classList.toggle("bpnb-cr-right", this.way === "right");
    this.slider.style.setProperty("--turn", this.way === "right" ? "100%" : "0%"); // forward or backward
    this.updateReplay(frame.words);
    this.updateTitle(frame);
    this.blocks.forEach((block, index) => {
      block.classList.remove("bpnb-cr-now", "bpnb-cr-done", "bpnb-cr-later");
      block.classList.add(`bpnb-cr-${roleOf(frame, index)}`);
      block.setAttribute("aria-pressed", this.names[index] === this.model.get("selected") ? "true" : "false");
    });
    if (!this.moments) this.stage.firstElementChild.replaceChildren(this.moment(frame));
    this.moments?.forEach((moment, index) => moment.classList.toggle("bpnb-cr-shown", index === step));
    if (!this.moments) this.stage.firstElementChild.firstElementChild.classList.add("bpnb-cr-shown");
    if (this.section === "product") this.updateCosts(frame);
    this.code.forEach((line, index) => line.classList.toggle("bpnb-cr-now", index === frame.code));
    if (this.code[frame.code]) scrollInside(this.code[frame.code]);
    if (frame.now.length) scrollInside(this.blocks[frame.now[0]], this.strip);
    this.updateLit();
  }

  updateTitle(frame) {
    const parts = frame.title.map((name) => {
      const matrix = this.scene.matrices[name];
      if (name === this.chain.name) return math(this.chain.math);
      return matrix ? math(matrix.math) : html("span", { class: "bpnb-operator" }, name);
    });
    this.title.replaceChildren(
      html("strong", { class: this.way === "right" ? "bpnb-forth" : "bpnb-back" }, this.section === "product" ? `From the ${this.way}` : "Step back"),
      html("span", { class: "bpnb-count" }, `step ${this.step} of ${this.last}`),
      html("span", { class: "bpnb-formulas" }, ...parts),
    );
  }

  updateCosts({ run, total }) {
    for (const side of ["left", "right"]) {
      const bar = this.costs.querySelector(`[data-key="run:${side}"]`);
      const whole = bar.nextElementSibling.getAttribute("width");
      const count = this.costs.querySelector(`[data-key="count:${side}"]`);
      count.dataset.total ??= count.textContent;
      bar.setAttribute("width", side === this.way ? run * this.scene.bar : 0);
      count.textContent = side === this.way && total.toLocaleString("en") !== count.dataset.total ? `${total.toLocaleString("en")} of ${count.dataset.total}` : count.dataset.total;
      count.setAttribute("x", Number(bar.getAttribute("x")) + Number(whole) + 8);
    }
  }

  /** Light what a factor has to do with: the one pointed at, else the selected, else the current. */
  updateLit() {
    const current = this.frame.now.length ? this.names[this.frame.now[0]] : null;
    const name = this.lit ?? (this.model.get("selected") || current);
    const matrix = name ? this.scene.matrices[name] : null;
    for (const part of this.parts) part.classList.toggle("bpnb-cr-dim", matrix !== null && !isLit(part.dataset.key, matrix.lit));
    this.updateFactor(matrix ?? this.scene.matrices[this.names.at(-1)]); // which is cut at the end
    if (matrix) this.showLit(matrix.lit);
  }

  /** Scroll a network that is wider than its frame to what is lit. */
  showLit(lit) {
    const frame = this.frameOfNetwork;
    const part = this.parts.find(({ dataset, cx }) => cx && isLit(dataset.key, lit));
    if (part && frame.scrollWidth > frame.clientWidth) frame.scrollLeft = part.cx.baseVal.value - frame.clientWidth / 2;
  }

  updateFactor(matrix) {
    if (!matrix || this.shownFactor === matrix) return;
    this.shownFactor = matrix;
    if (!this.about.has(matrix)) this.tell(matrix);
    for (const [each, element] of this.about) element.classList.toggle("bpnb-cr-shown", each === matrix);
  }

  light(name) {
    this.lit = name;
    this.updateLit();
  }

  /** Light the factors of a part of the network. */
  point(key) {
    const names = key ? factorsAt(this.scene, this.names, key) : [];
    this.blocks.forEach((block, index) => block.classList.toggle("bpnb-cr-pointed", names.includes(this.names[index])));
  }

  actions(event) {
    const actions = super.actions(event);
    const at = this.blocks.indexOf(event.target);
    actions.Escape = () => this.set("selected", "");
    if (at >= 0) {
      delete actions[" "]; // a button's own key
      actions.ArrowLeft = () => this.blocks[Math.max(at - 1, 0)].focus();
      actions.ArrowRight = () => this.blocks[Math.min(at + 1, this.blocks.length - 1)].focus();
    }
    return actions;
  }
}

const replayed = (model) => chainOf(model.get("scene"), model.get("i"))[wayOf(model.get("side"), model.get("section"))];

const widget = live(Chain, (context) => clock(context, { framesOf: replayed }));
export default widget;
