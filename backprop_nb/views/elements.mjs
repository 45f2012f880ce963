// Elements of the page: HTML, SVG and MathML.

import { shiftToShow } from "./geometry.mjs";

const HTML = "http://www.w3.org/1999/xhtml";
const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";

/** Make an element; texts go in as text, so nothing from the learner can become markup. */
function make(namespace, tag, attributes = {}, ...children) {
  const element = document.createElementNS(namespace, tag);
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

/** Show children in a place; of what is there already only what is different changes. */
export function redraw(place, ...children) {
  const there = [...place.childNodes];
  children.forEach((child, k) => {
    const now = typeof child === "string" ? document.createTextNode(child) : child;
    if (!there[k]) place.append(now);
    else if (there[k].isEqualNode(now)) return;
    else if (there[k].cloneNode().isEqualNode(now.cloneNode())) redraw(there[k], ...now.childNodes);
    else there[k].replaceWith(now);
  });
  for (const rest of there.slice(children.length)) rest.remove();
}

/** A formula, which Python made as nested lists of tag, text, attributes and children. */
export function math([tag, text = "", attributes = {}, children = []]) {
  return make(MATHML, tag, attributes, ...(text ? [text] : []), ...children.map(math));
}

/** A formula as nested lists, of which the scene has the shape once for all that share it. */
export const filled = ({ shapes }, [shape, ...texts]) =>
  JSON.parse(shapes[shape].map((part) => (typeof part === "string" ? part : texts[part])).join(""));

/** How many there are of something, in words: "1 node", "3 nodes". */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Which of how many: "step 9 of 12", as wide as the last of them, so that nothing beside it moves. */
export const counter = (noun, now, last) =>
  html("span", { class: "bpnb-count", "data-widest": `${noun} ${last} of ${last}` }, `${noun} ${now} of ${last}`);

const ICONS = {
  first: "M3 2h2v12H3zM14 2v12L6 8z",
  back: "M12 2v12L4 8z",
  play: "M4 2v12l9-6z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z",
  forward: "M4 2v12l8-6z",
  last: "M11 2h2v12h-2zM2 2v12l8-6z",
  present: "M1 2h5v2H3v3H1zM10 2h5v5h-2V4h-3zM1 9h2v3h3v2H1zM13 9h2v5h-5v-2h3z",
};

export const icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** A name as its stem and the digits at its end, which are set as a subscript. */
export function splitName(name) {
  const [, stem, digits = ""] = name.match(/^(.*?)(?:_?(\d+))?$/s);
  return stem ? [stem, digits] : [name, ""];
}

/** A name with the digits at its end as a subscript. */
export function nameParts(name) {
  const [stem, digits] = splitName(name);
  return digits ? [stem, html("sub", {}, digits)] : [stem];
}

/** A part of a view that scrolls by itself, so that the keyboard must reach it.  No landmark: a page may have many views. */
export const panel = (label, { class: more = "", ...attributes }, ...children) =>
  html("div", { class: `bpnb-panel ${more}`.trim(), role: "group", tabindex: 0, "aria-label": label, ...attributes }, ...children);

/** A number with the name above it. */
export const reading = (number, ...name) => html("div", {}, html("span", {}, ...name), number);

/** What a sign of a picture means, and the sign of a family of colours. */
export const explained = (sign, ...text) => html("span", { class: "bpnb-scale" }, sign, ...text);
export const heatRamp = (family) => html("i", { class: `bpnb-ramp bpnb-ramp-${family}` });

export const operator = (text) => html("span", { class: "bpnb-operator" }, text);
export const labelled = (text, content) => html("div", { class: "bpnb-labelled" }, html("span", {}, text), content);

/** Scroll an element into sight within its own panel, or another frame, never the page. */
export function scrollInside(element, panel = element.closest(".bpnb-panel")) {
  const [box, around] = [element, panel].map((each) => each.getBoundingClientRect());
  for (const [side, size, margin] of [["Top", "Height", 24], ["Left", "Width", 0]]) {
    const [low, length] = [side.toLowerCase(), size.toLowerCase()];
    const from = around[low] + panel[`client${side}`];
    const span = [box[low], box[low] + box[length]];
    const shift = shiftToShow(span, [from, from + panel[`client${size}`]], margin);
    if (shift) panel[`scroll${side}`] -= shift;
  }
}

/** The element that has the focus inside of another one, or null; in a shadow tree, too. */
export function focusInside(element) {
  const active = element.getRootNode().activeElement;
  return active && element.contains(active) ? active : null;
}
