// SigmoidExplorer.  First half: pure functions of a scene, tested without a page.
// Second half: the page.  All numbers come from Python once; nothing here needs a kernel.

import {
  Controls, View, clamp, drag, html, keyed, live, math, moveUpright, namedRange, pictureOf, reading,
} from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** The number of the place that is nearest to z. */
export function placeOf(scene, z) {
  return clamp(Math.round((z - scene.low) * scene.perOne), 0, scene.z.length - 1);
}

/** The z of a place. */
export const zOf = (scene, place) => (place + scene.low * scene.perOne) / scene.perOne;

/** The place under a point of the picture, which is so many of its pixels from its left edge. */
export function placeAt(scene, [left, width], x) {
  return placeOf(scene, scene.low + ((x - left) / width) * (scene.high - scene.low));
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
export const superscript = (n) => [...String(n)].map((digit) => SUPERSCRIPTS[digit]).join("");

/** What is said of a place: the pieces of one line, each a name and its value. */
export function readings(scene, curve, place, n) {
  const { value, slope, share, saturated, powers } = curve.places;
  return [
    ["z", scene.z[place]],
    [`${curve.name}(z)`, value[place]],
    [`${curve.slopeName}(z)`, `${slope[place]}, ${share[place]} of ${curve.best}${saturated[place] ? ", saturated" : ""}`],
    [`${curve.slopeName}(z)${superscript(n)}`, powers[place][n - 1]],
    [`at best ${curve.best}${superscript(n)}`, curve.bestTexts[n - 1]],
  ];
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

class SigmoidView extends View {
  constructor(model, el) {
    super(model, el);
    this.controls = new Controls(this);
    this.build();
    this.follow(() => this.update(), "z", "layers");
    this.follow(() => this.updateActivation(), "activation");
  }

  get curve() {
    return this.scene.curves[this.model.get("activation")];
  }

  get place() {
    return placeOf(this.scene, this.model.get("z"));
  }

  go(place) {
    this.set("z", zOf(this.scene, clamp(place, 0, this.scene.z.length - 1)));
  }

  setLayers(n) {
    this.set("layers", clamp(n, 1, this.scene.units));
  }

  build() {
    const { scene } = this;
    this.formulas = html("div", { class: "bpnb-formulas bpnb-sigmoid-formulas" });
    this.pictures = html("div", { class: "bpnb-sigmoid-pictures" });
    this.readings = html("div", { class: "bpnb-readings" });
    this.zSlider = namedRange("z", {
      min: 0,
      max: scene.z.length - 1,
      value: this.place,
      text: (place) => scene.z[place],
      onchange: (place) => this.go(place),
    });
    this.zSlider.classList.add("bpnb-wide");
    const layers = this.controls.slider("layers", "n, units passed", { min: 1, max: scene.units });
    const names = Object.entries(scene.curves).map(([key, { name }]) => [key, name]);
    const activation = this.controls.choice("activation", "activation", names);
    const controls = html("div", { class: "bpnb-controls" }, this.zSlider, layers, activation);
    this.stand("sigmoid_explorer", "The sigmoid and its slope", html("div", { class: "bpnb-bar" }, controls, this.formulas), this.readings, this.pictures);
    this.updateActivation();
  }

  updateActivation() {
    const { curve } = this;
    this.formulas.replaceChildren(...curve.formulas.map(math));
    const [chart, effect] = curve.pictures.map(pictureOf);
    chart.classList.add("bpnb-draggable");
    chart.addEventListener("pointerdown", (event) => this.onDrag(event, chart));
    this.pictures.replaceChildren(chart, effect);
    this.parts = keyed(this.pictures);
    this.update();
  }

  update() {
    const { scene, curve, place } = this;
    const n = this.model.get("layers");
    this.zSlider.update(place);
    this.controls.update();
    this.updateChart(curve, place);
    this.updatePowers(curve, place, n);
    const said = readings(scene, curve, place, n);
    this.readings.replaceChildren(...said.map(([name, text]) => reading(html("b", {}, text), name)));
    this.say(said.map(([name, text]) => `${name} = ${text}`).join("; "));
  }

  updateChart({ places }, place) {
    const [value, slope] = places.dots[place];
    this.draw("value", { cx: value[0], cy: value[1] });
    this.draw("slope", { cx: slope[0], cy: slope[1] });
    this.draw("tangent", { d: pathThrough(places.tangent[place]) });
    moveUpright(this.parts.get("at"), value[0]);
    this.draw("bar", { width: places.bar[place] });
  }

  updatePowers({ places, across }, place, n) {
    const path = places.path[place]; // without those that are 0
    this.draw("powers", { d: pathThrough(path) });
    for (let k = 1; k <= this.scene.units; k++) {
      const dot = this.parts.get(`power:${k}`);
      dot.style.display = k <= path.length ? "" : "none";
      if (k <= path.length) this.draw(`power:${k}`, { cx: path[k - 1][0], cy: path[k - 1][1], r: k === n ? 6 : 3.5 });
    }
    moveUpright(this.parts.get("layers"), across[n - 1]);
  }

  draw(key, attributes) {
    for (const [name, value] of Object.entries(attributes)) this.parts.get(key).setAttribute(name, value);
  }

  onDrag(event, chart) {
    if (event.button !== 0) return;
    this.root.focus({ preventScroll: true }); // from here on the keys are ours
    const follow = ({ clientX }) => {
      const { left, width } = chart.getBoundingClientRect();
      this.go(placeAt(this.scene, this.curve.plot, ((clientX - left) / width) * chart.viewBox.baseVal.width));
    };
    follow(event);
    drag(event, chart, follow);
  }

  actions({ target }) {
    if (target.tagName === "INPUT") return {}; // a slider and a choice have arrow keys of their own
    const n = this.model.get("layers");
    return {
      ArrowLeft: () => this.go(this.place - 1),
      ArrowRight: () => this.go(this.place + 1),
      ArrowUp: () => this.setLayers(n + 1),
      ArrowDown: () => this.setLayers(n - 1),
      0: () => this.go(placeOf(this.scene, 0)),
    };
  }
}

const pathThrough = (points) => (points.length ? `M${points.map((point) => point.join(",")).join("L")}` : "M0,0");

// Named, so that page.mjs can follow in the same script.
const widget = live(SigmoidView);
export default widget;
