// Playground.  First half: pure functions, tested without a page.
// Second half: the page.  Python trains and computes every frame; a view that begins to paint it
// says so, and so gets the next one.  Without a kernel the frames that are there can be replayed.
// The scene is PlaygroundScene in views/schema.py; frames and curves stand there too.

import { familyRamp, paintField, whenThemeChanges, withFields } from "./field.mjs";
import {
  View,
  barButton,
  bytes,
  choice,
  clamp,
  colour,
  html,
  icon,
  live,
  pictureOf,
  playButton,
  slider,
} from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** The number of the value that is nearest to a wanted one. */
export function nearest(values, wanted) {
  const distances = values.map((value) => Math.abs(value - wanted));
  return distances.indexOf(Math.min(...distances));
}

/** The frames that a view has after one more: of one run, and only those that are recorded. */
export function kept(frames, frame, recorded) {
  const all = [...frames.values(), frame];
  const stay = all.filter(({ run, epoch }) => run === frame.run && recorded.includes(epoch));
  return new Map(stay.map((one) => [one.epoch, one]));
}

/** The frame that is nearest to an epoch. */
export function frameAt(frames, epoch) {
  const all = [...frames.values()];
  return all[nearest(all.map((frame) => frame.epoch), epoch)];
}

/** The widths of a network with so many hidden layers of so many units. */
export const widthsOf = (layers, units) => [2, ...Array(layers).fill(units), 1];

/** Where an epoch lies in the charts. */
export const epochAt = ({ plot: [left, width], last }, epoch) => left + (width * epoch) / last;

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

class PlaygroundView extends View {
  constructor(model, el) {
    super(model, el);
    this.frames = new Map((model.get("frames") ?? []).map((frame) => [frame.epoch, frame]));
    this.build();
    this.listen("change:frame", () => this.takeIn([]));
    for (const name of ["scene", "curves", "lines", "recorded", "epoch", "playing", "problem"]) {
      this.listen(`change:${name}`, () => this.schedule());
    }
    for (const name of SETTINGS) {
      this.listen(`change:${name}`, () => this.updates.forEach((update) => update()));
    }
    this.listen("msg:custom", ({ frames }) => this.takeIn(frames ?? []));
    this.stopWatching = whenThemeChanges(() => ((this.colours = null), this.schedule()));
    this.update();
  }

  dispose() {
    super.dispose();
    this.stopWatching();
    cancelAnimationFrame(this.pending);
  }

  loseKernel() {
    super.loseKernel();
    this.schedule();
  }

  whatIsLeft() {
    return this.isStill ? "Of its run the last frame is left" : super.whatIsLeft();
  }

  // -- what there is

  get recorded() {
    return this.model.get("recorded").filter((epoch) => this.frames.has(epoch));
  }

  /** Which of the recorded frames is shown. */
  get position() {
    return nearest(this.recorded, this.model.get("epoch"));
  }

  /** Whether there is but one frame and nobody to make others: of a saved run only the last is kept. */
  get isStill() {
    return this.offline && this.recorded.length < 2;
  }

  /** Keep the latest frame, and others that were asked for. */
  takeIn(frames) {
    for (const frame of [...frames, this.model.get("frame")]) {
      this.frames = kept(this.frames, frame, this.model.get("recorded"));
    }
    this.schedule();
  }

  /** Ask once for the frames that this view has not seen: a program trained, or it opened late. */
  askForMissing(serial) {
    const missing = this.model.get("recorded").filter((epoch) => !this.frames.has(epoch));
    if (this.offline || !missing.length || this.askedAt === serial) return;
    this.askedAt = serial;
    this.model.send({ wants: missing });
  }

  // -- what one can do

  go(position) {
    const { recorded } = this;
    this.model.set("playing", false);
    this.set("epoch", recorded[clamp(position, 0, recorded.length - 1)]);
  }

  /** Forward through what is recorded; from its end on by training. */
  forward() {
    if (this.position < this.recorded.length - 1) this.go(this.position + 1);
    else this.train(1);
  }

  train(epochs) {
    if (!this.offline) this.model.send({ train: epochs });
  }

  rewind() {
    if (!this.offline) this.model.send({ do: "rewind" });
  }

  togglePlay() {
    if (this.isStill) return;
    const playing = !this.model.get("playing");
    const { recorded } = this;
    if (playing && this.offline && this.position === recorded.length - 1) {
      this.model.set("epoch", recorded[0]);
    }
    this.set("playing", playing);
  }

  // -- building

  build() {
    const div = (name) => html("div", { class: name });
    this.stage = div("bpnb-play-stage");
    this.charts = div("bpnb-play-charts");
    this.legend = div("bpnb-legend");
    this.problem = html("p", { class: "bpnb-notice", role: "alert", hidden: true });
    const parts = [this.problem, this.stage, this.legend, this.charts];
    this.stand("playground", "Playground", this.buildBar(), this.buildControls(), ...parts);
    this.buildStage();
  }

  buildBar() {
    this.backButton = barButton(icon("back"), "Step back", "[", () => this.go(this.position - 1));
    this.playButton = playButton(() => this.togglePlay());
    this.forwardButton = barButton(icon("forward"), "Step forward", "]", () => this.forward());
    this.slider = html("input", {
      type: "range",
      min: 0,
      "aria-label": "Recorded epoch",
      style: "--turn:100%",
      oninput: () => this.go(Number(this.slider.value)),
    });
    this.values = READINGS.map(() => html("b"));
    const reading = ([name], k) => html("div", {}, html("span", {}, name), this.values[k]);
    const kernel = (...button) => html("span", { "data-kernel": true }, barButton(...button));
    return html(
      "div",
      { class: "bpnb-bar" },
      html(
        "div",
        { class: "bpnb-buttons", role: "group", "aria-label": "Training" },
        kernel("\u21ba rewind", "Rewind to the same initial weights", "R", () => this.rewind()),
        this.backButton,
        this.playButton,
        this.forwardButton,
        kernel("+10", "Train for ten epochs", "", () => this.train(10)),
      ),
      this.slider,
      html("div", { class: "bpnb-readings" }, ...READINGS.map(reading)),
    );
  }

  buildControls() {
    this.updates = []; // of the controls
    const widths = () => this.model.get("widths");
    const layers = () => widths().length - 2;
    const units = () => Math.max(1, ...widths().slice(1, -1));
    const setLayers = (count) => this.set("widths", widthsOf(count, units()));
    const setUnits = (count) => this.set("widths", widthsOf(Math.max(1, layers()), count));
    return html(
      "div",
      {
        class: "bpnb-controls bpnb-play-controls",
        "data-kernel": true,
        role: "group",
        "aria-label": "Settings",
      },
      this.choiceOf("data", "data"),
      this.choiceOf("hidden layers\u2019 activation", "activation"),
      this.choiceOf("loss", "loss"),
      this.rangeOf("noise", "noise"),
      this.rangeOf("hidden layers", "layers", { get: layers, set: setLayers }),
      this.rangeOf("units a layer", "units", { get: units, set: setUnits }),
      this.rangeOf("learning rate", "learning_rate"),
      this.rangeOf("batch", "batch_size", { text: (count) => String(count || "all") }),
      this.rangeOf("epochs a frame", "epochs_per_frame"),
      this.seedOf(),
    );
  }

  choiceOf(name, trait) {
    const values = this.scene.options[trait].map((value) => [value, value]);
    const get = () => this.model.get(trait);
    const onchange = (value) => this.set(trait, value);
    const field = choice(name, values, { value: get(), onchange });
    this.updates.push(() => field.update(get()));
    return field;
  }

  /** A slider over the values that are offered; `option` is the trait, unless it has accessors. */
  rangeOf(name, option, { get, set, text = String } = {}) {
    const values = this.scene.options[option];
    get ??= () => this.model.get(option);
    set ??= (value) => this.set(option, value);
    const onchange = (k) => set(values[k]);
    const named = (k) => text(values[k]);
    const label = slider(name, { min: 0, max: values.length - 1, value: 0, text: named, onchange });
    const update = () => {
      label.update(nearest(values, get()));
      // A program may choose what no place of the slider stands for.
      label.querySelector("input").setAttribute("aria-valuetext", text(get()));
      label.querySelector("output").textContent = text(get());
    };
    this.updates.push(update);
    update();
    return label;
  }

  seedOf() {
    const get = () => this.model.get("seed");
    const output = html("output", {}, String(get()));
    const next = { type: "button", onclick: () => this.set("seed", get() + 1) };
    this.updates.push(() => (output.textContent = get()));
    const button = html("button", next, "next seed");
    return html("span", { class: "bpnb-slider" }, html("span", {}, "seed"), output, button);
  }

  buildStage() {
    const { plane, network, legend } = this.scene;
    const [left, right] = [withFields(plane), withFields(network)];
    this.fields = new Map([...left.fields, ...right.fields]);
    this.stage.replaceChildren(left.element, right.element);
    this.parts = keyed(this.stage);
    this.levels = []; // of the edges, as they are drawn
    this.weights = html("span");
    const ramp = () => html("i", { class: "bpnb-ramp bpnb-ramp-value" });
    const scale = (...text) => html("span", { class: "bpnb-scale" }, ramp(), ...text);
    this.legend.replaceChildren(
      pictureOf(legend),
      scale("output 0 \u2026 \u00bd \u2026 1"),
      scale(this.weights, " (dashed: negative)"),
    );
  }

  // -- updating

  /** However much changes at once, it is painted once, when the browser paints. */
  schedule() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      this.update();
    });
  }

  update() {
    const { model } = this;
    if (!model.settled) return; // a scene is on its way, and this will be called again
    if (this.scene !== model.get("scene")) {
      this.scene = model.get("scene");
      this.buildStage();
    }
    const latest = model.get("frame");
    // The kernel computes the next frame while this one is painted.
    if (!model.get("playing")) this.askForMissing(latest.serial);
    else if (!this.offline && this.root.isConnected) model.send({ paints: latest.serial });
    this.frames = kept(this.frames, latest, model.get("recorded"));
    const frame = frameAt(this.frames, model.get("epoch"));
    this.paintFields(frame);
    this.updateShapes(frame);
    this.updateCharts(frame);
    this.updateReadings(frame);
  }

  paintFields(frame) {
    // A notebook makes a view before it has its place, where alone there is a theme.
    if (!this.root.isConnected) return this.schedule();
    this.colours ??= familyRamp(this.root, "value");
    const paint = (key, text) => paintField(this.fields.get(key), bytes(text), this.colours);
    paint("map", frame.map);
    this.scene.units.forEach((key, k) => paint(key, frame.tiles[k]));
  }

  updateShapes(frame) {
    const { scene, parts } = this;
    parts.get("boundary").setAttribute("d", frame.boundary || NOWHERE);
    const middle = (scene.edgeStyles.length - 1) / 2;
    scene.edges.forEach((key, k) => {
      if (frame.edges[k] === this.levels[k]) return;
      const { stroke, width, dash } = scene.edgeStyles[frame.edges[k] + middle];
      const { style } = parts.get(key);
      style.stroke = colour(stroke);
      style.strokeWidth = width;
      style.strokeDasharray = dash.join(" ");
    });
    this.levels = frame.edges;
    scene.bars.forEach((key, i) => {
      parts.get(key).setAttribute("height", frame.bars[i]);
      parts.get(key).setAttribute("y", scene.floor - frame.bars[i]);
      write(parts.get(`norm:${i}`), frame.norms[i]);
      write(parts.get(`saturated:${i}`), frame.saturated[i]);
    });
    write(this.weights, frame.weights);
  }

  updateCharts(frame) {
    const curves = this.model.get("curves");
    if (this.curves !== curves) {
      this.curves = curves;
      this.charts.replaceChildren(...curves.pictures.map(pictureOf));
      this.tracks = keyed(this.charts);
    }
    for (const [key, d] of Object.entries(this.model.get("lines"))) {
      this.tracks.get(key)?.setAttribute("d", d || NOWHERE);
    }
    const x = epochAt(curves, frame.epoch).toFixed(1);
    for (const now of this.charts.querySelectorAll("[data-key=now]")) {
      now.setAttribute("d", now.getAttribute("d").replace(/([ML])[\d.]+/g, `$1${x}`));
    }
  }

  updateReadings(frame) {
    const playing = this.model.get("playing");
    READINGS.forEach(([, part], k) => write(this.values[k], String(frame[part])));
    this.slider.max = this.recorded.length - 1;
    this.slider.value = this.position;
    this.slider.setAttribute("aria-valuetext", frame.words);
    this.playButton.update(playing);
    for (const control of [this.backButton, this.playButton, this.forwardButton, this.slider]) {
      control.disabled = this.isStill;
    }
    this.root.classList.toggle("bpnb-playing", playing);
    if (!playing) this.say(frame.words); // a voice cannot keep up with a film
    write(this.problem, this.model.get("problem"));
    this.problem.hidden = !this.problem.textContent;
  }

  actions({ target }) {
    const { tagName, type } = target;
    // A field keeps the keys that it needs, a button its Space.
    const other = tagName === "INPUT" && target !== this.slider;
    return {
      "[": () => this.go(this.position - 1),
      "]": () => this.forward(),
      Home: other ? undefined : () => this.go(0),
      End: other ? undefined : () => this.go(Infinity),
      " ": tagName === "BUTTON" || type === "radio" ? undefined : () => this.togglePlay(),
      r: () => this.rewind(),
    };
  }
}

/** What is said of a frame, and under which name the frame has it. */
const READINGS = [
  ["epoch", "epoch"],
  ["loss", "loss"],
  ["loss, held out", "heldOut"],
  ["accuracy", "accuracy"],
  ["accuracy, held out", "heldOutAccuracy"],
];
const NOWHERE = "M0 0"; // a path that is not seen
const SETTINGS = [
  ...["data", "noise", "widths", "activation", "loss", "seed"],
  ...["learning_rate", "batch_size", "epochs_per_frame"],
];

/** The parts of pictures by their keys. */
const keyed = (place) =>
  new Map([...place.querySelectorAll("svg [data-key]")].map((part) => [part.dataset.key, part]));

/** Without a kernel, play goes through what is recorded: one clock for all views of a model. */
function replayOffline({ model }) {
  let timer = null;
  let { offline } = model;
  const tick = () => {
    const next = model.get("recorded").find((epoch) => epoch > model.get("epoch"));
    if (next === undefined) model.set("playing", false);
    else model.set("epoch", next);
    model.save_changes();
  };
  const update = () => {
    clearInterval(timer);
    timer = offline && model.get("playing") ? setInterval(tick, 100) : null;
  };
  const lose = () => {
    offline = true;
    update();
  };
  model.on("change:playing", update);
  model.on("comm_live_update", lose);
  update();
  return () => {
    clearInterval(timer);
    model.off("change:playing", update);
    model.off("comm_live_update", lose);
  };
}

/** Change a text only if it is another one: a browser would lay it out again all the same. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Named, so that page.mjs can follow in the same script.
const widget = live(PlaygroundView, replayOffline);
export default widget;
