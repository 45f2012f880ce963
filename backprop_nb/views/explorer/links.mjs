// What belongs together in the views of one graph.  A link is a word: v3 is the value
// of node 3, a3 its adjoint, m3.0 its first mark; an element's `data-link` holds some.

import { filled, html, math, whenPointed } from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** The nodes that a link is about, each once. */
export const nodesOf = (link) => [
  ...new Set(link.split(" ").map((word) => parseInt(word.slice(1), 10))),
];

/** The link to all that nodes have: their values and their adjoints. */
export const linkTo = (nodes) => nodes.map((node) => `v${node} a${node}`).join(" ");

/** The links of the names in a text, each once. */
export const linkOf = (names) => [...new Set(names.map(([, , link]) => link))].join(" ");

/** Cut a text at its names: parts, each with its link or null.  Python counts characters. */
export function cutAtNames(text, names) {
  const characters = Array.from(text);
  const parts = [];
  let end = 0;
  for (const [from, to, link] of [...names, [characters.length, characters.length, null]]) {
    parts.push([characters.slice(end, from).join(""), null]);
    parts.push([characters.slice(from, to).join(""), link]);
    end = to;
  }
  return parts.filter(([part]) => part);
}

/** Which of the nodes that one expression made is meant: in a loop the next, else the current. */
export function choose(nodes, selected, current) {
  if (nodes.includes(selected)) return nodes[(nodes.indexOf(selected) + 1) % nodes.length];
  return nodes.includes(current) ? current : nodes[0];
}

/** Where an arrow key leads among boxes [left, top, right, bottom] that stand in lines of text. */
export function nextBox(boxes, at, key) {
  if (key === "ArrowLeft") return at > 0 ? at - 1 : null;
  if (key === "ArrowRight") return at < boxes.length - 1 ? at + 1 : null;
  const middle = ([, top, , bottom]) => (top + bottom) / 2;
  const side = key === "ArrowDown" ? 1 : -1;
  const away = boxes.map((box) => (middle(box) - middle(boxes[at])) * side);
  const half = (boxes[at][3] - boxes[at][1]) / 2;
  const line = Math.min(...away.filter((distance) => distance > half)) + half;
  const onLine = boxes.map((_, k) => k).filter((k) => away[k] > half && away[k] < line);
  const left = (k) => Math.abs(boxes[k][0] - boxes[at][0]);
  return onLine.reduce((best, k) => (best === null || left(k) < left(best) ? k : best), null);
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

/** A text whose names are linked to their nodes. */
export const named = (text, names) =>
  cutAtNames(text, names).map(([part, link]) =>
    link ? html("span", { "data-link": link, role: "button", tabindex: -1 }, part) : part,
  );

/** What a contribution adds to an adjoint, as formulas: the left side, the sign, the right side. */
export function sides(scene, { target, arrivals, rule }) {
  const sign = arrivals === 1 ? ["mo", "="] : ["mtext", "+="];
  return [filled(scene, target), ["math", "", {}, [sign]], filled(scene, rule)].map(math);
}

/** The same as one formula. */
export function equation(scene, contribution) {
  const [left, sign, right] = sides(scene, contribution);
  return html("span", {}, left, " ", sign, " ", right);
}

/** Let the arrow keys stop at the linked terms of formulas. */
export function makeStops(...formulas) {
  for (const formula of formulas) {
    for (const term of formula.querySelectorAll("[data-link]")) term.setAttribute("tabindex", "-1");
  }
}

/** Tell which linked element the mouse or the keyboard is on, and null when it is on none. */
export function watchLinks(root, light) {
  const focused = ({ target }) =>
    light(target.matches("[data-link]:focus-visible") ? target : null);
  whenPointed(root, "[data-link]", light);
  root.addEventListener("focusin", focused);
  root.addEventListener("focusout", () => light(null));
}

/** Light everything in a view that shares a word with a link; null puts all out. */
export function lightLink(root, link) {
  const words = new Set(link ? link.split(" ") : []);
  for (const element of root.querySelectorAll(link ? "[data-link]" : ".bpnb-lit")) {
    const own = element.getAttribute("data-link").split(" ");
    element.classList.toggle("bpnb-lit", own.some((word) => words.has(word)));
  }
}

/** Move the focus along the names in a panel; from its outside to `begin`, or to its first one. */
export function walkNames(panel, from, key, begin) {
  const stops = [...panel.querySelectorAll("[data-link][tabindex]")];
  const shown = stops.filter((stop) => stop.getClientRects().length);
  const at = shown.indexOf(from);
  const box = (stop) => {
    const { left, top, right, bottom } = stop.getBoundingClientRect();
    return [left, top, right, bottom];
  };
  const first = shown.includes(begin) ? begin : shown[0];
  const next = at < 0 ? first : shown[nextBox(shown.map(box), at, key) ?? at];
  next?.focus({ preventScroll: true });
  return next ?? null;
}
