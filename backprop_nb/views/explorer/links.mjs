// What belongs together in the views of one graph.  A link is a word: v3 is the value
// of node 3, a3 its adjoint, m3.0 its first mark; an element's `data-link` holds some.

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** The nodes that a link is about, each once. */
export const nodesOf = (link) => [...new Set(link.split(" ").map((word) => parseInt(word.slice(1), 10)))];

/** The link to all that nodes have: their values and their adjoints. */
export const linkTo = (nodes) => nodes.map((node) => `v${node} a${node}`).join(" ");

/** The links of the names in a text, each once. */
export const linkOf = (names) => [...new Set(names.map(([, , link]) => link))].join(" ");

/** Cut a text at its names: pieces, each with its link or null.  Python counts characters. */
export function cutAtNames(text, names) {
  const characters = Array.from(text);
  const parts = [];
  let end = 0;
  const add = (from, to, link) => to > from && parts.push([characters.slice(from, to).join(""), link]);
  for (const [from, to, link] of names) {
    add(end, from, null);
    add(from, to, link);
    end = to;
  }
  add(end, characters.length, null);
  return parts;
}

/** Which of the nodes that one expression made is meant: in a loop the next, else the current. */
export function choose(nodes, selected, current) {
  if (nodes.includes(selected)) return nodes[(nodes.indexOf(selected) + 1) % nodes.length];
  return nodes.includes(current) ? current : nodes[0];
}

/** Where an arrow key leads among boxes [left, top, right, bottom] that stand in lines of text. */
export function turn(boxes, at, key) {
  if (key === "ArrowLeft") return at > 0 ? at - 1 : null;
  if (key === "ArrowRight") return at < boxes.length - 1 ? at + 1 : null;
  const middle = ([, top, , bottom]) => (top + bottom) / 2;
  const side = key === "ArrowDown" ? 1 : -1;
  const away = boxes.map((box) => (middle(box) - middle(boxes[at])) * side);
  const height = boxes[at][3] - boxes[at][1];
  const there = away.filter((distance) => distance > height / 2);
  const line = Math.min(...there) + height / 2;
  const left = (index) => Math.abs(boxes[index][0] - boxes[at][0]);
  const candidates = boxes.map((_, index) => index).filter((index) => away[index] > height / 2 && away[index] < line);
  return candidates.reduce((best, one) => (best === null || left(one) < left(best) ? one : best), null);
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

/** Tell which linked element the mouse or the keyboard is on, and null when it is on none. */
export function watchLinks(root, light) {
  const over = (event) => light(event.target.closest("[data-link]"));
  const focused = (event) => light(event.target.matches("[data-link]:focus-visible") ? event.target : null);
  root.addEventListener("pointerover", over);
  root.addEventListener("pointerleave", () => light(null));
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

/** What the arrow keys stop at inside of a trail: linked elements that can have the focus. */
const stopsOf = (trail) => [...trail.querySelectorAll("[data-link][tabindex]")].filter((stop) => stop.getClientRects().length);

/** Move the focus along a trail; from its outside to `begin`, or to its first stop. */
export function walkTrail(trail, from, key, begin) {
  const stops = stopsOf(trail);
  const at = stops.indexOf(from);
  const boxes = () => stops.map((stop) => stop.getBoundingClientRect()).map(({ left, top, right, bottom }) => [left, top, right, bottom]);
  const next = at < 0 ? (stops.includes(begin) ? begin : stops[0]) : stops[turn(boxes(), at, key) ?? at];
  next?.focus({ preventScroll: true });
  return next ?? null;
}

/** The element that has the focus inside of another one, or null. */
export function focusInside(element) {
  const active = element.getRootNode().activeElement;
  return active && element.contains(active) ? active : null;
}
