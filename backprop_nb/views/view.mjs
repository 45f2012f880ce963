// What all live views share.  First half: pure functions, tested without a page.
// Second half: the page.  Each widget's own module imports from here; style.py
// joins the two into one, since a widget's module cannot import a neighbour.

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The `d` of an SVG path through the control points of a cubic Bézier curve. */
export function curve(points) {
  const [start, ...rest] = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
  return `M${start}C${rest.join(" ")}`;
}

/** The corners of an arrow head at the end of a path. */
export function arrowHead(points, size = 7) {
  const [x, y] = points[points.length - 1];
  const [fromX, fromY] = points[points.length - 2];
  const length = Math.hypot(x - fromX, y - fromY) || 1;
  const [dx, dy] = [(x - fromX) / length, (y - fromY) / length];
  const [baseX, baseY] = [x - dx * size, y - dy * size];
  const half = size * 0.55;
  return [[x, y], [baseX - dy * half, baseY + dx * half], [baseX + dy * half, baseY - dx * half]]
    .map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`)
    .join(" ");
}

/** A name as its stem and the digits at its end, which are set as a subscript. */
export function splitName(name) {
  const [, stem, digits] = name.match(/^(.*?)_?(\d*)$/s);
  return stem ? [stem, digits] : [name, ""];
}

/** How far to shift a picture so that a box is inside the frame, moving as little as possible. */
export function shiftToShow([low, high], [frameLow, frameHigh], margin) {
  if (low < frameLow + margin) return frameLow + margin - low;
  if (high > frameHigh - margin) return frameHigh - margin - high;
  return 0;
}

/** The `d` of an SVG path along straight lines through points of a square of a given size. */
export function lines(all, size, close = false) {
  const point = ([x, y]) => `${(x * size).toFixed(1)},${(y * size).toFixed(1)}`;
  return all.map((points) => `M${points.map(point).join("L")}${close ? "Z" : ""}`).join("");
}

/** A colour of a picture as CSS: a role of the palette, or a heat on a family's scale. */
export function colour(of) {
  if (!of) return "none";
  if (typeof of === "string") return `var(--bpnb-${of})`;
  const [family, heat] = of;
  const end = heat < 0 ? "negative" : "positive";
  const share = Math.round(Math.abs(heat) * 100);
  return `color-mix(in srgb,var(--bpnb-${family}-${end}) ${share}%,var(--bpnb-${family}-zero))`;
}

/** What a cell of a large array's map stands for, and its number where it came along. */
export function cellWords({ block: [down, across], columns, rows, long }, index) {
  const [row, column] = [Math.floor(index / columns), index % columns];
  const range = (name, at, size) => (size === 1 ? `${name} ${at}` : `${name}s ${at * size} to ${at * size + size - 1}`);
  const place = [...(rows * down > 1 ? [range("row", row, down)] : []), range("column", column, across)].join(", ");
  if (!long.length) return place;
  return down * across === 1 ? `${place}: ${long[index]}` : `${place}: largest in size ${long[index]}`;
}

/** What the map of a large array shows. */
export function mapWords({ shape, map: { block: [down, across] } }) {
  if (down * across === 1) return `all entries of ${shape}`;
  return `${shape}, a cell is the entry largest in size of ${down > 1 ? `${down} \u00d7 ${across}` : across}`;
}

/** The cells of a map by their heat: for each the `d` of one SVG path, a cell being 1 by 1. */
export function mapPaths({ columns, heat }) {
  const paths = new Map();
  heat.forEach((each, index) => {
    const d = `M${index % columns} ${Math.floor(index / columns)}h1v1h-1z`;
    paths.set(each, (paths.get(each) ?? "") + d);
  });
  return paths;
}

/** Where the cells of a heat map lie, row by row. */
export function heatCells({ box: [x, y, width, height], columns, gap = 0 }, count) {
  const [w, h] = [width / columns, height / (count / columns)];
  return Array.from({ length: count }, (_, n) => ({
    x: x + (n % columns) * w,
    y: y + Math.floor(n / columns) * h,
    width: w - gap,
    height: h - gap,
  }));
}

/** Whether a shape with `since` and `until`, which may both be missing, is there at a step. */
export const isThere = ({ since = 0, until = Infinity }, step) => Number(since) <= step && step <= Number(until);

/** A picture at a moment of a replay: by a shape's key what is different of it; `cut` says how much of a line there is. */
export function patched(picture, patch) {
  const shapes = picture.shapes.map((shape) => {
    const change = patch[shape.key];
    if (!change) return shape;
    const points = change.cut === undefined ? {} : { points: shape.points.slice(0, change.cut) };
    return { ...shape, ...change, ...points };
  });
  return { ...picture, shapes };
}

// ---------------------------------------------------------------------------
// The scene, which comes compressed
// ---------------------------------------------------------------------------

const scenes = new WeakMap(); // each is unpacked once, however many views there are

/** The bytes that a text of Base64 stands for. */
export const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** What live_view.py packed, deflated JSON, as an object; the scene of a page is one already. */
export function unpacked(packed) {
  if (!ArrayBuffer.isView(packed)) return packed;
  if (!scenes.has(packed)) {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    scenes.set(packed, new Response(stream).json());
  }
  return scenes.get(packed);
}

/**
 * A model whose scene is an object.  To unpack one takes a moment: until then `get` gives the
 * scene before, and what has changed with the new one is told when the new one is there.
 */
export class SceneModel {
  constructor(model) {
    this.model = model;
    this.heard = new Map(); // by the handler of a view what the model calls in its place
    this.waiting = new Set();
  }

  /** The model, once its scene is there. */
  static async of(model) {
    const made = new SceneModel(model);
    await made.catchUp();
    return made;
  }

  /** Whether the scene is the one that belongs to all other values. */
  get settled() {
    return this.packed === this.model.get("scene");
  }

  get alone() {
    return this.model.alone === true;
  }

  get(key) {
    return key === "scene" ? this.scene : this.model.get(key);
  }

  set(key, value) {
    this.model.set(key, value);
  }

  save_changes() {
    this.model.save_changes();
  }

  send(content) {
    this.model.send(content);
  }

  on(event, handler) {
    if (!this.heard.has(handler)) {
      this.heard.set(handler, (...args) => (this.settled || !event.startsWith("change:") ? handler(...args) : this.wait(handler)));
    }
    this.model.on(event, this.heard.get(handler));
  }

  off(event, handler) {
    this.waiting.delete(handler);
    this.model.off(event, this.heard.get(handler));
  }

  wait(handler) {
    this.waiting.add(handler);
    if (this.waiting.size === 1) this.catchUp();
  }

  /** Unpack the newest scene; one that comes meanwhile is the newest then. */
  async catchUp() {
    while (!this.settled) {
      const packed = this.model.get("scene");
      const scene = await unpacked(packed);
      if (packed === this.model.get("scene")) [this.packed, this.scene] = [packed, scene];
    }
    const handlers = [...this.waiting];
    this.waiting.clear();
    for (const handler of handlers) handler();
  }
}

/** A widget, as its ES module exports it: its kind of view, and what its model does without any. */
export function live(Kind, initialize = () => {}) {
  return {
    initialize: async ({ model }) => initialize({ model: await SceneModel.of(model) }),
    render: async ({ model, el }) => {
      const view = new Kind(await SceneModel.of(model), el);
      return () => view.dispose();
    },
  };
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const HTML = "http://www.w3.org/1999/xhtml";
const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";

// JupyterLab looks for this from the focused element upward, and at each one asks first whether
// a shortcut is meant for it.  Many are meant for whatever has the focus: so it must be there.
const NO_SHORTCUTS = "data-lm-suppress-shortcuts";
const FOCUSABLE = new Set(["input", "button", "select"]);

/** Make an element; texts go in as text, so nothing from the learner can become markup. */
function make(namespace, tag, attributes = {}, ...children) {
  const element = document.createElementNS(namespace, tag);
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) element.setAttribute(NO_SHORTCUTS, "true");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    // Not as an attribute, which the policy of a page may forbid.
    if (name === "style") element.style.cssText = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
export const html = (tag, attributes, ...children) => make(HTML, tag, attributes, ...children);
export const svg = (tag, attributes, ...children) => make(SVG, tag, attributes, ...children);

/** A formula, which Python made as nested lists of tag, text, attributes and children. */
export function math([tag, text, attributes, children]) {
  return make(MATHML, tag, attributes, ...(text ? [text] : []), ...children.map(math));
}

const ICONS = {
  first: "M3 2h2v12H3zM14 2v12L6 8z",
  back: "M12 2v12L4 8z",
  play: "M4 2v12l9-6z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z",
  forward: "M4 2v12l8-6z",
  last: "M11 2h2v12h-2zM2 2v12l8-6z",
};
export const icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** A name with the digits at its end as a subscript. */
export function nameParts(name) {
  const [stem, digits] = splitName(name);
  return digits ? [stem, html("sub", {}, digits)] : [stem];
}

const cellStyle = (family, heat) => `--cell:${colour([family, heat])}`;

/** An array as a small table of coloured cells, with its numbers in words beside the colour. */
export function grid(tensor, family, cell, what) {
  if (tensor.map) return heatMap(tensor, family, what);
  const cells = tensor.heat.map((heat, index) => {
    const { text = "", ...attributes } = cell(index);
    return html("span", { style: cellStyle(family, heat), ...attributes }, text);
  });
  const label = `${what}, ${tensor.shape}: ${tensor.long.slice(0, 24).join(", ")}`;
  return html(
    "div",
    { class: "bpnb-grid", role: "img", "aria-label": label, style: `--columns:${Math.max(tensor.columns, 1)}` },
    ...cells,
  );
}

/** A large array as a map of small cells that follow the theme. */
export function heatMap(tensor, family, what) {
  const { rows, columns } = tensor.map;
  const label = `${what}, heat map of ${mapWords(tensor)}; first entries ${tensor.long.slice(0, 24).join(", ")}`;
  return html(
    "div",
    { class: "bpnb-grid bpnb-map", role: "img", "aria-label": label, title: mapWords(tensor) },
    svg(
      "svg",
      { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      ...[...mapPaths(tensor.map)].map(([heat, d]) => svg("path", { d, style: `fill:${colour([family, heat])}` })),
    ),
  );
}

/** A map with room for it; the cell under the pointer, or that the arrow keys lead to, is told. */
function bigMap(tensor, family, what) {
  const { map } = tensor;
  const picture = heatMap(tensor, family, what);
  const side = clamp(Math.floor(300 / Math.max(map.rows, map.columns)), 5, 14);
  picture.classList.add("bpnb-big-map");
  const [width, height] = [map.columns === 1 ? 20 : side, map.rows === 1 ? 20 : side]; // of a cell
  picture.style.width = `${map.columns * width}px`;
  picture.style.height = `${map.rows * height}px`;
  const text = html("small", { class: "bpnb-map-text", "aria-live": "polite" }, mapWords(tensor));
  const frame = html("i", { class: "bpnb-map-cell", hidden: true });
  let at = 0;
  const tell = (index) => {
    const found = index === null ? mapWords(tensor) : cellWords(map, index);
    if (text.textContent !== found) text.textContent = found;
    frame.hidden = index === null;
    if (index === null) return;
    at = index;
    frame.style.cssText = `left:${(index % map.columns) * width}px;top:${Math.floor(index / map.columns) * height}px;width:${width}px;height:${height}px`;
  };
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -map.columns, ArrowDown: map.columns };
  picture.tabIndex = 0;
  picture.append(frame);
  picture.addEventListener("pointermove", ({ clientX, clientY }) => {
    const { left, top } = picture.getBoundingClientRect();
    const [column, row] = [Math.floor((clientX - left) / width), Math.floor((clientY - top) / height)];
    tell(clamp(row, 0, map.rows - 1) * map.columns + clamp(column, 0, map.columns - 1));
  });
  picture.addEventListener("pointerleave", () => tell(null));
  picture.addEventListener("focus", () => picture.matches(":focus-visible") && tell(at));
  picture.addEventListener("blur", () => tell(null));
  picture.addEventListener("keydown", (event) => {
    if (!(event.key in moves)) return;
    const next = at + moves[event.key];
    if (next >= 0 && next < map.heat.length) tell(next);
    event.preventDefault();
    event.stopPropagation();
  });
  return html("div", {}, picture, text);
}

/** The badge of a health mark; what it means stands beside it in words. */
export function badge(look, size = 16) {
  const colours = ["ground", "ink", "rim"].map((part) => `--${part}:var(--bpnb-${look[part]})`);
  return svg(
    "svg",
    { class: "bpnb-mark-badge", viewBox: `0 0 ${size} ${size}`, width: size, height: size, style: colours.join(";"), "aria-hidden": "true" },
    svg("path", { class: "bpnb-mark-ground", d: lines([look.outline], size, true) }),
    svg("path", { class: "bpnb-mark-sign", d: lines(look.sign, size) }),
  );
}

/** A part of a view that scrolls by itself, so that the keyboard must reach it.  No landmark: a page may have many views. */
export const panel = (label, { class: more = "", ...attributes }, ...children) =>
  html("div", { class: `bpnb-panel ${more}`.trim(), role: "group", tabindex: 0, "aria-label": label, ...attributes }, ...children);

export const operator = (text) => html("span", { class: "bpnb-operator" }, text);
export const labelled = (text, content) => html("div", { class: "bpnb-labelled" }, html("span", {}, text), content);

/** An array as a table of coloured cells with its numbers in them. */
export function big(tensor, family, what) {
  if (tensor.map) return bigMap(tensor, family, what);
  const table = grid(tensor, family, (index) => ({ text: tensor.long[index] }), what);
  table.classList.add("bpnb-big");
  return table;
}

/** Scroll an element into sight within its own panel, or another frame, never the page. */
export function scrollInside(element, panel = element.closest(".bpnb-panel")) {
  const shift = shiftToShow(
    [element.offsetTop, element.offsetTop + element.offsetHeight],
    [panel.scrollTop, panel.scrollTop + panel.clientHeight],
    24,
  );
  if (shift) panel.scrollTop -= shift;
}

/** A picture that Python made of shapes.  Its parts that have a key say so in `data-key`. */
export function picture({ width, height, alt, shapes }) {
  const label = alt ? { role: "img", "aria-label": alt } : { "aria-hidden": "true" };
  return svg("svg", { class: "bpnb-picture", width, height, viewBox: `0 0 ${width} ${height}`, ...label }, ...shapes.map(drawn));
}

/** Show of a picture what is there at one step of a replay. */
export function showAt(image, step) {
  for (const part of image.querySelectorAll("[data-since]")) part.style.display = isThere(part.dataset, step) ? "" : "none";
}

export function drawn(shape) {
  const element = shape.kind === "text" ? drawnText(shape) : drawnShape(shape);
  for (const when of ["since", "until"]) if (when in shape) element.dataset[when] = shape[when];
  return element;
}

function drawnShape(shape) {
  const { kind, key, fill, stroke, width, dash } = shape;
  if (kind === "heat") return drawnHeat(shape);
  const looks = [`fill:${colour(fill)}`, `stroke:${colour(stroke)}`];
  if (stroke) looks.push(`stroke-width:${width}`);
  if (dash) looks.push(`stroke-dasharray:${dash.join(" ")}`);
  const style = { style: looks.join(";"), "data-key": key };
  if (kind === "circle") {
    const [cx, cy] = shape.centre;
    return svg("circle", { cx, cy, r: shape.radius, ...style });
  }
  if (kind === "rect") {
    const [x, y, w, h] = shape.box;
    return svg("rect", { x, y, width: w, height: h, rx: shape.radius, ...style });
  }
  if (kind === "curve") return svg("path", { d: curve(shape.points), ...style });
  return svg("path", { d: `M${shape.points.map((point) => point.join(",")).join("L")}${shape.close ? "Z" : ""}`, ...style });
}

function drawnHeat({ key, heats, family, texts = [], size, ...place }) {
  const at = heatCells(place, heats.length);
  const cells = heats.map((heat, n) => svg("rect", { ...at[n], style: `fill:${colour([family, heat])}` }));
  const words = texts.map((text, n) => {
    const { x, y, width, height } = at[n];
    return drawnText({ at: [x + width / 2, y + height / 2], text, on: [family, heats[n]], size, anchor: "middle" });
  });
  return svg("g", { "data-key": key }, ...cells, ...words);
}

function drawnText({ at: [x, y], text, sub, fill, on, size, anchor, italic, bold, turned, key }) {
  const looks = [`font-size:${size}px`, `text-anchor:${anchor}`];
  looks.push(on ? `--cell:${colour(on)}` : `fill:${colour(fill)}`);
  const kinds = ["bpnb-label", italic && "bpnb-italic", bold && "bpnb-bold", on && "bpnb-on"].filter(Boolean);
  return svg(
    "text",
    {
      class: kinds.join(" "),
      x,
      y,
      dy: "0.35em",
      style: looks.join(";"),
      transform: turned ? `rotate(-90 ${x} ${y})` : null,
      "data-key": key,
    },
    text,
    sub ? svg("tspan", { class: "bpnb-sub", dy: "0.25em" }, sub) : null,
  );
}

/** A button of the bar: an icon or a text, what it does, and the keys that do the same. */
export function barButton(content, label, keys, onclick) {
  const title = keys ? `${label} (${keys})` : label;
  return html("button", { type: "button", title, "aria-label": label, onclick }, content);
}

/** The button that plays and pauses. */
export function playButton(onclick) {
  const button = barButton(icon("play"), "Play", "Space", onclick);
  button.update = (playing) => {
    const label = playing ? "Pause" : "Play";
    // Between press and release frames may come: an icon replaced meanwhile would lose the click.
    if (button.getAttribute("aria-label") === label) return;
    button.setAttribute("aria-label", label);
    button.title = `${label} (Space)`;
    button.replaceChildren(icon(label.toLowerCase()));
  };
  return button;
}

/** A range with its name and, as text, its value: what `text` makes of the number. */
export function slider(name, { min, max, step = 1, value, text = String, onchange }) {
  const output = html("output", {}, text(value));
  const input = html("input", { type: "range", min, max, step, oninput: () => onchange(Number(input.value)) });
  const label = html("label", { class: "bpnb-slider" }, html("span", {}, name), input, output);
  label.update = (now) => {
    input.value = now;
    input.setAttribute("aria-valuetext", text(now));
    output.textContent = text(now);
  };
  label.update(value);
  return label;
}

/** A few named values, one of which is chosen: radio buttons, so arrow keys move among them. */
export function choice(name, values, { value, onchange }) {
  // Radio buttons of one name exclude each other, in a notebook across all of its views.
  const group = `bpnb-choice-${++choices}-${VIEWS}`;
  const inputs = values.map(([key]) => html("input", { type: "radio", name: group, value: key, onchange: () => onchange(key) }));
  const field = html(
    "fieldset",
    { class: "bpnb-choice" },
    html("legend", {}, name),
    ...values.map(([, text], index) => html("label", {}, inputs[index], html("span", {}, text))),
  );
  field.update = (now) => inputs.forEach((input, index) => (input.checked = values[index][0] === now));
  field.update(value);
  return field;
}
let choices = 0;
const VIEWS = Math.random().toString(36).slice(2); // each widget has a copy of this module

/** What every view does: stand in its place, follow its model, let go of it, say what happens. */
export class View {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.scene = model.get("scene");
    this.listeners = [];
    this.notice = html("p", { class: "bpnb-notice", role: "status", hidden: true });
    this.alone = model.alone; // a page of its own has no kernel from the start
    // A model that has lost its kernel never gets one again.
    this.listen("comm_live_update", () => this.loseKernel());
  }

  listen(event, handler) {
    this.model.on(event, handler);
    this.listeners.push([event, handler]);
  }

  dispose() {
    for (const [event, handler] of this.listeners) this.model.off(event, handler);
  }

  set(key, value) {
    this.model.set(key, value);
    this.model.save_changes();
  }

  /** Put the view into its place; it hears the keys that are pressed in it. */
  stand(kind, label, ...children) {
    this.live = html("div", { class: "bpnb-live", "aria-live": "polite" });
    this.root = html(
      "div",
      {
        class: `bpnb bpnb-${kind}`, // below which the rules of its own style sheet hold
        role: "group",
        "aria-label": label,
        tabindex: -1,
        onkeydown: (event) => this.onKey(event),
      },
      this.notice,
      ...children,
      this.live,
    );
    this.el.replaceChildren(this.root);
    this.updateAlone();
  }

  loseKernel() {
    this.alone = true;
    this.notice.textContent =
      "The kernel behind this view has ended. What is shown can still be stepped; run the cell again for new numbers.";
    this.notice.hidden = false;
    this.updateAlone();
  }

  /** Let nobody turn what only a kernel can answer: whatever stands inside of `data-kernel`. */
  updateAlone() {
    for (const part of this.root.querySelectorAll("[data-kernel]")) {
      for (const control of [part, ...part.querySelectorAll("input, button")]) {
        if ("disabled" in control) control.disabled = this.alone;
      }
      if (this.alone) part.title = "needs a running notebook";
    }
  }

  /** Tell a screen reader what a sighted user sees. */
  say(words) {
    this.live.textContent = words;
  }

  /** What keys do, as a map from `event.key` to a function or undefined. */
  actions() {
    return {};
  }

  onKey(event) {
    // JupyterLab would go to the next cell while a radio button or a slider goes to its next value.
    if (event.target.tagName === "INPUT") event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = this.actions(event)[event.key];
    if (!action) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  }
}

/** A view of a scene with frames, one of which is shown: trait `step`; `playing` is a trait too. */
export class Replay extends View {
  get frames() {
    return this.scene.frames;
  }

  get last() {
    return this.frames.length - 1;
  }

  get step() {
    return clamp(this.model.get("step"), 0, this.last);
  }

  go(step) {
    this.set("step", clamp(step, 0, this.last));
  }

  /** A step forward or back; a view may take several frames at once. */
  stepBy(way) {
    this.go(this.step + way);
  }

  togglePlay() {
    if (!this.model.get("playing") && this.step === this.last) this.go(0);
    this.set("playing", !this.model.get("playing"));
  }

  /** Five buttons and a slider; `turn` is the frame at which the way back begins, if there is one. */
  buildReplay(turn = -1) {
    const button = (name, label, keys, action) => barButton(icon(name), label, keys, action);
    this.playButton = playButton(() => this.togglePlay());
    this.slider = html("input", {
      type: "range",
      min: 0,
      max: this.last,
      "aria-label": "Step",
      oninput: () => this.go(Number(this.slider.value)),
    });
    this.slider.style.setProperty("--turn", `${turn < 0 ? 100 : (100 * turn) / Math.max(this.last, 1)}%`);
    const buttons = html(
      "div",
      { class: "bpnb-buttons", role: "group", "aria-label": "Replay" },
      button("first", "To the start", "Home", () => this.go(0)),
      button("back", "Step back", "[", () => this.stepBy(-1)),
      this.playButton,
      button("forward", "Step forward", "]", () => this.stepBy(1)),
      button("last", "To the end", "End", () => this.go(Infinity)),
    );
    return [buttons, this.slider];
  }

  /** Show where the replay is; `words` say the frame. */
  updateReplay(words) {
    this.slider.max = this.last;
    this.slider.value = this.step;
    this.slider.setAttribute("aria-valuetext", words);
    this.say(`Step ${this.step} of ${this.last}. ${words}`);
  }

  updatePlay() {
    const playing = this.model.get("playing");
    this.playButton.update(playing);
    this.root.classList.toggle("bpnb-playing", playing);
  }

  actions(event) {
    // A field to type in keeps its keys, a button its Space, a slider its Home and End.
    const { tagName, type } = event.target;
    if (tagName === "SELECT" || (tagName === "INPUT" && type !== "range" && type !== "radio")) return {};
    const other = type === "range" && event.target !== this.slider;
    return {
      "[": () => this.stepBy(-1),
      "]": () => this.stepBy(1),
      Home: other ? undefined : () => this.go(0),
      End: other ? undefined : () => this.go(Infinity),
      " ": tagName === "BUTTON" || tagName === "SUMMARY" || type === "radio" ? undefined : () => this.togglePlay(),
    };
  }
}

/**
 * One clock for a model, however many views it has; `nextOf` says which step comes next,
 * `framesOf` what is replayed.
 */
export function clock({ model }, { nextOf = () => model.get("step") + 1, framesOf = () => model.get("scene").frames } = {}) {
  let timer = null;
  const tick = () => {
    const next = nextOf(model);
    const last = framesOf(model).length - 1;
    if (next >= last) model.set("playing", false);
    model.set("step", Math.min(next, last));
    model.save_changes();
  };
  const onPlaying = () => {
    clearInterval(timer);
    timer = model.get("playing") ? setInterval(tick, model.get("interval")) : null;
  };
  model.on("change:playing", onPlaying);
  onPlaying();
  return () => {
    clearInterval(timer);
    model.off("change:playing", onPlaying);
  };
}
