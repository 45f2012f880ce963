// Folding groups of a scene: pure functions, tested without a page.  What is folded decides
// which cards there are (`geometry.cards`); everything here is worked out from those two.

/** For each group the outermost folded one around it, itself included, or null. */
export function outermostFolded(groups, folded) {
  const isFolded = new Set(folded);
  const found = [];
  for (const { id, parent } of groups) {
    const above = parent === null ? null : found[parent];
    found.push(above ?? (isFolded.has(id) ? found.length : null));
  }
  return found;
}

/** The groups that are to be seen as a card, as one text: what a geometry is found by. */
export function foldKey(groups, folded) {
  const outer = outermostFolded(groups, folded);
  return JSON.stringify(groups.filter((_, index) => outer[index] === index).map(({ id }) => id));
}

/**
 * Without a kernel: of the known geometries one in which the group is turned as it is in
 * `wanted`, and as little else as can be; null if there is none.
 */
export function nearestKnown(groups, known, wanted, group) {
  const wish = outermostFolded(groups, wanted);
  const shows = (outer, index) => (outer[index] === null ? "open" : outer[index] === index ? "card" : "");
  const others = ({ outer }) => groups.reduce((sum, _, index) => sum + (shows(outer, index) !== shows(wish, index)), 0);
  const fit = known
    .map((geometry) => ({ geometry, outer: outermostFolded(groups, geometry.folded) }))
    .filter(({ outer }) => shows(outer, group) === shows(wish, group))
    .sort((a, b) => others(a) - others(b));
  return fit.length ? fit[0].geometry : null;
}

/** The groups that are folded in a geometry, those inside of its cards too. */
export function foldedIn(groups, geometry) {
  const outer = outermostFolded(groups, geometry.folded);
  return groups.filter((_, index) => outer[index] !== null).map(({ id }) => id);
}

/** The list of folded groups after one of them has been turned over. */
export function turned(groups, folded, id) {
  const now = new Set(folded);
  if (!now.delete(id)) now.add(id);
  return groups.map((group) => group.id).filter((each) => now.has(each));
}

/** For each node the card that it is on. */
export function cardsOf(scene, geometry) {
  const nodes = new Map();
  const groups = new Map();
  geometry.cards.forEach((card, k) => (card.group === undefined ? nodes.set(card.node, k) : groups.set(card.group, k)));
  return scene.nodes.map((node, index) => {
    if (nodes.has(index)) return nodes.get(index);
    let { group } = node;
    while (!groups.has(group)) group = scene.groups[group].parent;
    return groups.get(group);
  });
}

/**
 * The frames, first and last, that pass on one card: a folded group takes its own in one
 * step.  Forward, seed and backward are told apart.
 */
export function passage(scene, geometry, cardOf, step) {
  const { node, phase } = scene.frames[step];
  if (node === null || geometry.cards[cardOf[node]].group === undefined) return [step, step];
  const isSame = (frame) => frame && frame.phase === phase && cardOf[frame.node] === cardOf[node];
  let [first, last] = [step, step];
  while (isSame(scene.frames[first - 1])) first--;
  while (isSame(scene.frames[last + 1])) last++;
  return [first, last];
}

/** The step after or before this one, past all frames of a folded group. */
export function stepPast(scene, geometry, cardOf, step, way) {
  const last = scene.frames.length - 1;
  if (way < 0) return Math.max(passage(scene, geometry, cardOf, step)[0] - 1, 0);
  // From inside of a folded group the step leads to its end.
  const end = passage(scene, geometry, cardOf, step)[1];
  if (end > step) return end;
  return step === last ? last : passage(scene, geometry, cardOf, step + 1)[1];
}

/** All nodes of a group, those of the groups inside it too. */
export function membersOf(scene, group) {
  const inside = new Set([group]);
  scene.groups.forEach(({ parent }, index) => inside.has(parent) && inside.add(index));
  return scene.nodes.flatMap((node, index) => (inside.has(node.group) ? [index] : []));
}

/** The card that an arrow key leads to: along an edge sideways, to the nearest card up or down. */
export function nextCard(geometry, from, key) {
  const middle = (card) => {
    const [left, top, width, height] = geometry.cards[card].box;
    return [left + width / 2, top + height / 2];
  };
  const [x, y] = middle(from);
  const nearest = (candidates, distance) =>
    candidates.reduce((best, one) => (best === null || distance(one) < distance(best) ? one : best), null);
  const level = (card) => Math.abs(middle(card)[1] - y);
  if (key === "ArrowLeft") return nearest(geometry.edges.filter(({ head }) => head === from).map(({ tail }) => tail), level);
  if (key === "ArrowRight") return nearest(geometry.edges.filter(({ tail }) => tail === from).map(({ head }) => head), level);
  const side = key === "ArrowDown" ? 1 : -1;
  const there = geometry.cards.map((_, card) => card).filter((card) => (middle(card)[1] - y) * side > 1);
  return nearest(there, (card) => level(card) + 3 * Math.abs(middle(card)[0] - x));
}

/** Whether two boxes (left, top, width, height) share a point. */
export const meet = ([a, b, w, h], [c, d, v, g]) => a <= c + v && c <= a + w && b <= d + g && d <= b + h;

/** The smallest box around points, or around boxes' corners. */
export function around(points) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
}

/**
 * The edges to draw where only some cards are near: those that end there, and of those that
 * only pass by one for each card they leave, since they pass through one lane.
 */
export function edgesNear(edges, places, cards, near) {
  const passing = new Set();
  return edges.flatMap(({ tail, head }, index) => {
    if (!meet(places[index].box, near)) return [];
    if (cards.has(tail) || cards.has(head)) return [index];
    if (passing.has(tail)) return [];
    passing.add(tail);
    return [index];
  });
}
