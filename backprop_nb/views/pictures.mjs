// Pictures that Python made of shapes (PictureData in views/schema.py), and their colours.

import { svg } from "./elements.mjs";
import { curve, lines } from "./geometry.mjs";

/** A colour of a picture as CSS: a role of the palette, or a heat on a family's scale. */
export function colour(of) {
  if (!of) return "none";
  if (typeof of === "string") return `var(--bpnb-${of})`;
  const [family, heat] = of;
  const end = heat < 0 ? "negative" : "positive";
  const share = Math.round(Math.abs(heat) * 100);
  return `color-mix(in srgb,var(--bpnb-${family}-${end}) ${share}%,var(--bpnb-${family}-zero))`;
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
export const isThere = ({ since = 0, until = Infinity }, step) => since <= step && step <= until;

/** A picture at a step of a replay: by a shape's key what is different of it; `cut` says how much of a line there is. */
export function patched(picture, patch) {
  const shapes = picture.shapes.map((shape) => {
    const change = patch[shape.key];
    if (!change) return shape;
    const points = change.cut === undefined ? {} : { points: shape.points.slice(0, change.cut) };
    return { ...shape, ...change, ...points };
  });
  return { ...picture, shapes };
}

/** A picture that Python made of shapes.  Its parts that have a key say so in `data-key`. */
export const pictureOf = (data) => drawnFrom(descriptionOf(data));

/** Show a picture in a place; of one that is shown there already only what is different changes. */
export function repaint(place, data) {
  const image = drawnFrom(descriptionOf(data), place.firstChild);
  if (image !== place.firstChild) place.replaceChildren(image);
}

function descriptionOf({ width, height, alt, shapes }) {
  const label = alt ? { role: "img", "aria-label": alt } : { "aria-hidden": "true" };
  const size = { width, height, style: `--width:${width}px`, viewBox: `0 0 ${width} ${height}` };
  return ["svg", { class: "bpnb-picture", ...size, ...label }, ...shapes.map(described)];
}

const descriptions = new WeakMap(); // of each element, what it was made from

/**
 * The element of a description, a text or `[tag, attributes, ...children]`: the one that is there
 * already if it has this tag, else a new one.
 */
function drawnFrom(description, there) {
  if (typeof description === "string") {
    if (there?.nodeType !== Node.TEXT_NODE) return document.createTextNode(description);
    if (there.data !== description) there.data = description;
    return there;
  }
  const [tag, attributes, ...children] = description;
  const [tagBefore, before] = descriptions.get(there) ?? [];
  const made = tagBefore === tag ? there : svg(tag);
  descriptions.set(made, description);
  setAttributes(made, made === there ? before : {}, attributes);
  children.forEach((child, k) => {
    const old = made.childNodes[k];
    const now = drawnFrom(child, old);
    if (!old) made.append(now);
    else if (now !== old) old.replaceWith(now);
  });
  while (made.childNodes.length > children.length) made.lastChild.remove();
  return made;
}

/** Change the attributes of an element from what they were. */
function setAttributes(made, before, attributes) {
  for (const name of Object.keys({ ...before, ...attributes })) {
    const value = attributes[name] ?? null;
    if (value === (before[name] ?? null)) continue;
    if (name === "style") made.style.cssText = value; // not as an attribute, which the policy of a page may forbid
    else if (value === null) made.removeAttribute(name);
    else made.setAttribute(name, value);
  }
}

/** Show of a picture what is there at one step of a replay. */
export function showAt(image, step) {
  for (const part of image.querySelectorAll("[data-since]")) {
    const { "data-since": since, "data-until": until } = descriptions.get(part)[1];
    part.style.display = isThere({ since, until }, step) ? "" : "none";
  }
}

function described(shape) {
  const { kind, key, since, until, fill, stroke, width, dash } = shape;
  const when = { "data-key": key, "data-since": since, "data-until": until };
  if (kind === "text") return describedText(shape, when);
  if (kind === "heat") return describedHeat(shape, when);
  const looks = [`fill:${colour(fill)}`, `stroke:${colour(stroke)}`];
  if (stroke) looks.push(`stroke-width:${width}`);
  if (dash) looks.push(`stroke-dasharray:${dash.join(" ")}`);
  const style = { style: looks.join(";"), ...when };
  if (kind === "circle") {
    const [cx, cy] = shape.centre;
    return ["circle", { cx, cy, r: shape.radius, ...style }];
  }
  if (kind === "rect") {
    const [x, y, w, h] = shape.box;
    return ["rect", { x, y, width: w, height: h, rx: shape.radius, ...style }];
  }
  if (kind === "curve") return ["path", { d: curve(shape.points), ...style }];
  return ["path", { d: `M${shape.points.map((point) => point.join(",")).join("L")}${shape.close ? "Z" : ""}`, ...style }];
}

function describedHeat({ heats, family, texts = [], size, ...place }, when) {
  const at = heatCells(place, heats.length);
  const cells = heats.map((heat, n) => ["rect", { ...at[n], style: `fill:${colour([family, heat])}` }]);
  const words = texts.map((text, n) => {
    const { x, y, width, height } = at[n];
    return describedText({ at: [x + width / 2, y + height / 2], text, on: [family, heats[n]], size, anchor: "middle" });
  });
  return ["g", when, ...cells, ...words];
}

function describedText({ at: [x, y], text = "", sub, fill, on, size, anchor, italic, bold, turned }, when) {
  const looks = [`font-size:max(${size}px,var(--bpnb-least))`, `text-anchor:${anchor}`];
  looks.push(on ? `--cell:${colour(on)}` : `fill:${colour(fill)}`);
  const kinds = ["bpnb-label", italic && "bpnb-italic", bold && "bpnb-bold", on && "bpnb-on"].filter(Boolean);
  const attributes = { class: kinds.join(" "), x, y, dy: "0.35em", style: looks.join(";"), transform: turned ? `rotate(-90 ${x} ${y})` : null, ...when };
  return ["text", attributes, text, ...(sub ? [["tspan", { class: "bpnb-sub", dy: "0.25em" }, sub]] : [])];
}

/** The parts of the pictures in a place by their keys; of those that share a key, the last. */
export const keyed = (place) =>
  new Map([...place.querySelectorAll("svg [data-key]")].map((part) => [part.dataset.key, part]));

/** Move an upright line of a picture. */
export const moveUpright = (line, x) =>
  line.setAttribute("d", line.getAttribute("d").replace(/([ML])[\d.]+/g, `$1${x}`));

/** The badge of a health mark; what it means stands beside it in words. */
export function badge(style, size = 16) {
  const colours = ["ground", "ink", "rim"].map((part) => `--${part}:var(--bpnb-${style[part]})`);
  return svg(
    "svg",
    { class: "bpnb-mark-badge", viewBox: `0 0 ${size} ${size}`, width: size, height: size, style: colours.join(";"), "aria-hidden": "true" },
    svg("path", { class: "bpnb-mark-ground", d: lines([style.outline], size, true) }),
    svg("path", { class: "bpnb-mark-sign", d: lines(style.sign, size) }),
  );
}
