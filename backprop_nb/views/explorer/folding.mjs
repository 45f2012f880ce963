// Cards and what folding makes of the replay: pure functions, tested without a page.  Where
// things lie is ExplorerGeometry in schema.py.

/** The list of folded groups after one of them has been turned over. */
export function turned(groups, folded, id) {
  const now = new Set(folded);
  if (!now.delete(id)) now.add(id);
  return groups.map((group) => group.id).filter((each) => now.has(each));
}

/**
 * The frames, first and last, that pass on one card: a folded group takes its own in one
 * step.  Forward, seed and backward are told apart.
 */
export function passage({ frames }, { cards, card_of: cardOf }, step) {
  const { node, phase } = frames[step];
  if (node === null || cards[cardOf[node]].group === null) return [step, step];
  const isSame = (frame) => frame?.phase === phase && cardOf[frame.node] === cardOf[node];
  let [first, last] = [step, step];
  while (isSame(frames[first - 1])) first--;
  while (isSame(frames[last + 1])) last++;
  return [first, last];
}

/** The step after or before this one, past all frames of a folded group; beyond the ends is none. */
export function stepPast(scene, geometry, step, way) {
  const [first, end] = passage(scene, geometry, step);
  if (way < 0) return first - 1;
  // From inside of a folded group the step leads to its end.
  if (end > step) return end;
  return scene.frames[step + 1] ? passage(scene, geometry, step + 1)[1] : step + 1;
}

/** The card that an arrow key leads to: along an edge sideways, to the nearest one up or down. */
export function nextCard({ cards, edges }, from, key) {
  const middle = (card) => {
    const [left, top, width, height] = cards[card].box;
    return [left + width / 2, top + height / 2];
  };
  const [x, y] = middle(from);
  const level = (card) => Math.abs(middle(card)[1] - y);
  const side = { ArrowUp: -1, ArrowDown: 1 }[key];
  const ends = key === "ArrowLeft" ? ["head", "tail"] : ["tail", "head"];
  const there = side
    ? cards.map((_, card) => card).filter((card) => (middle(card)[1] - y) * side > 1)
    : edges.filter((edge) => edge[ends[0]] === from).map((edge) => edge[ends[1]]);
  const distance = (card) => level(card) + (side ? 3 * Math.abs(middle(card)[0] - x) : 0);
  const nearer = (best, one) => (best === null || distance(one) < distance(best) ? one : best);
  return there.reduce(nearer, null);
}
