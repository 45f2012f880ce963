// Playground.  First half: pure functions, tested without a page.
// Second half: the page.  Python trains and computes every frame; a view that begins to paint it
// says so, and so gets the next one.  Without a kernel the frames that are there can be replayed.
// The scene is PlaygroundScene in schema.py; frames and curves stand there too.

import { familyRamp, paintField, whenThemeChanges, withFields } from "./field.mjs";
import {
  Controls, Replay, barButton, bytes, clamp, colour, explained, heatRamp, html, icon, keyed, live,
  moveUpright, namedRange, nearest, pictureOf, playButton, reading,
} from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

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

/** A replay of the frames that are recorded; at its end a step forward trains. */
class PlaygroundView extends Replay {
  constructor(model, el) {
    super(model, el);
    this.controls = new Controls(this);
    this.known = new Map((model.get("frames") ?? []).map((frame) => [frame.epoch, frame]));
    this.build();
    this.follow(() => this.takeIn([]), "frame");
    this.follow(() => this.schedule(), ...SHOWN);
    this.follow(() => this.controls.update(), ...SETTINGS);
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
    return this.model.get("recorded").filter((epoch) => this.known.has(epoch));
  }

  get last() {
    return this.recorded.length - 1;
  }

  /** Which of the recorded frames is shown. */
  get step() {
    return nearest(this.recorded, this.model.get("epoch"));
  }

  /** Whether there is but one frame and nobody to make others: of a saved run only the last is kept. */
  get isStill() {
    return this.offline && this.recorded.length < 2;
  }

  /** Keep the latest frame, and others that were asked for. */
  takeIn(frames) {
    for (const frame of [...frames, this.model.get("frame")]) {
      this.known = kept(this.known, frame, this.model.get("recorded"));
    }
    this.schedule();
  }

  /** Ask once for the frames that this view has not seen: a program trained, or it opened late. */
  askForMissing(serial) {
    const missing = this.model.get("recorded").filter((epoch) => !this.known.has(epoch));
    if (this.offline || !missing.length || this.askedAt === serial) return;
    this.askedAt = serial;
    this.model.send({ wants: missing });
  }

  // -- what one can do

  reach(step) {
    this.model.set("playing", false);
    this.set("epoch", this.recorded[step]);
  }

  stepBy(way) {
    if (way > 0 && this.step === this.last && !this.offline) this.train(1);
    else this.go(this.step + way);
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
    if (playing && this.offline && this.step === this.last) this.model.set("epoch", this.recorded[0]);
    this.set("playing", playing);
  }

  // -- building

  build() {
    const div = (name) => html("div", { class: name });
    this.stage = div("bpnb-play-stage");
    this.charts = div("bpnb-play-charts");
    this.legend = div("bpnb-legend");
    this.problem = html("p", { class: "bpnb-notice", role: "alert", hidden: true });
    const shown = [this.buildBar(), this.problem, this.stage, this.legend];
    this.stand("playground", "Playground", ...shown, this.buildControls(), this.charts);
    this.buildStage();
  }

  buildBar() {
    this.end = html("span", { class: "bpnb-end" });
    this.backButton = barButton(icon("back"), "Step back", "[", () => this.stepBy(-1));
    this.playButton = playButton(() => this.togglePlay());
    this.forwardButton = barButton(icon("forward"), "Step forward", "]", () => this.stepBy(1));
    this.slider = html("input", {
      type: "range",
      min: 0,
      "aria-label": "Recorded epoch",
      style: "--turn:100%",
      oninput: () => this.go(Number(this.slider.value)),
    });
    this.values = READINGS.map(() => html("b"));
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
        this.end,
      ),
      this.slider,
      html("div", { class: "bpnb-readings" }, ...READINGS.map(([name], k) => reading(this.values[k], name))),
    );
  }

  buildControls() {
    const widths = () => this.model.get("widths");
    const layers = () => widths().length - 2;
    const units = () => Math.max(1, ...widths().slice(1, -1));
    const setLayers = (count) => this.set("widths", widthsOf(count, units()));
    const setUnits = (count) => this.set("widths", widthsOf(Math.max(1, layers()), count));
    const { options } = this.scene;
    return html(
      "div",
      {
        class: "bpnb-controls bpnb-play-controls",
        "data-kernel": true,
        role: "group",
        "aria-label": "Settings",
      },
      this.controls.choice("data", "data", options.data),
      this.controls.choice("activation", "hidden layers\u2019 activation", options.activation),
      this.controls.choice("loss", "loss", options.loss),
      this.rangeOf("noise", "noise"),
      this.rangeOf("hidden layers", "layers", { get: layers, set: setLayers }),
      this.rangeOf("units a layer", "units", { get: units, set: setUnits }),
      this.rangeOf("learning rate", "learning_rate"),
      this.rangeOf("batch", "batch_size", { text: (count) => String(count || "all") }),
      this.rangeOf("epochs a frame", "epochs_per_frame"),
      this.seedOf(),
    );
  }

  /** A slider over the values that are offered; `option` is the trait, unless it has accessors. */
  rangeOf(name, option, { get, set, text = String } = {}) {
    const values = this.scene.options[option];
    get ??= () => this.model.get(option);
    set ??= (value) => this.set(option, value);
    const onchange = (k) => set(values[k]);
    const named = (k) => text(values[k]);
    const label = namedRange(name, { min: 0, max: values.length - 1, value: 0, text: named, onchange });
    const update = () => {
      label.update(nearest(values, get()));
      // A program may choose what no place of the slider stands for.
      label.querySelector("input").setAttribute("aria-valuetext", text(get()));
      label.querySelector("output").textContent = text(get());
    };
    this.controls.all[option] = { update };
    update();
    return label;
  }

  seedOf() {
    const get = () => this.model.get("seed");
    const output = html("output", {}, String(get()));
    const next = { type: "button", onclick: () => this.set("seed", get() + 1) };
    this.controls.all.seed = { update: (seed) => (output.textContent = seed) };
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
    const scale = (...text) => explained(heatRamp("value"), ...text);
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
    this.known = kept(this.known, latest, model.get("recorded"));
    const frame = frameAt(this.known, model.get("epoch"));
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
    for (const now of this.charts.querySelectorAll("[data-key=now]")) moveUpright(now, x);
  }

  updateReadings(frame) {
    READINGS.forEach(([, part], k) => write(this.values[k], String(frame[part])));
    this.slider.max = this.last;
    this.slider.value = this.step;
    this.slider.setAttribute("aria-valuetext", frame.words);
    this.updatePlay();
    for (const control of [this.backButton, this.playButton, this.forwardButton, this.slider]) {
      control.disabled = this.isStill;
    }
    if (!this.model.get("playing")) this.say(frame.words); // a voice cannot keep up with a film
    write(this.problem, this.model.get("problem"));
    this.problem.hidden = !this.problem.textContent;
  }

  actions(event) {
    return { ...super.actions(event), r: () => this.rewind() };
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
const SHOWN = ["scene", "curves", "lines", "recorded", "epoch", "playing", "problem"];
const SETTINGS = [
  ...["data", "noise", "widths", "activation", "loss", "seed"],
  ...["learning_rate", "batch_size", "epochs_per_frame"],
];

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
