// What is known of a graph at a step of its replay: pure functions, tested without a page.
// Everything is read off an index that is made once for a scene, so that a step costs the
// same however many came before it.

const indexes = new WeakMap();

/** When each value, adjoint and edge gets its turn: all of it by node or edge. */
function indexOf(scene) {
  if (indexes.has(scene)) return indexes.get(scene);
  const { nodes, frames, edges } = scene;
  const index = {
    known: nodes.map((node) => (node.kind === "operation" ? Infinity : 0)), // the step at which a value is
    gifts: nodes.map(() => []), // what arrives, oldest first, each with its step and its giver
    back: nodes.map(() => -1), // the step back
    seed: [-1, -1], // the node with which the way back begins, and when
    into: nodes.map(() => []), // the edges that end at a node
    passed: edges.map(() => Infinity), // the step at which a gradient passes
  };
  edges.forEach(({ head }, edge) => index.into[head].push(edge));
  frames.forEach(({ phase, node, gifts }, step) => {
    if (phase === "forward") index.known[node] = Math.min(index.known[node], step);
    if (phase === "seed") index.seed = [node, step];
    if (phase === "backward") index.back[node] = step;
    for (const gift of gifts) {
      index.gifts[gift.parent].push({ ...gift, step, from: node });
      index.passed[gift.edge] = Math.min(index.passed[gift.edge], step);
    }
  });
  indexes.set(scene, index);
  return index;
}

/** What is known at a step: of which nodes the value, of which the adjoint (whole or in part). */
export function stateAt(scene, step) {
  const index = indexOf(scene);
  return {
    frame: scene.frames[step],
    hasValue: (node) => index.known[node] <= step,
    adjoint: (node) => {
      const last = index.gifts[node].findLast((gift) => gift.step <= step);
      if (last) return { value: last.sum, arrival: last.arrival, arrivals: last.arrivals };
      const [output, begin] = index.seed;
      return node === output && begin <= step ? { value: scene.nodes[node].adjoint, arrival: 1, arrivals: 1 } : null;
    },
    hasPassed: (edge) => index.passed[edge] <= step,
  };
}

/** The edges along which something travels in a frame, and in which direction. */
export function movingEdges(scene, { phase, node, gifts }) {
  const forward = phase === "forward" ? indexOf(scene).into[node].map((edge) => [edge, "forward"]) : [];
  return new Map([...forward, ...gifts.map(({ edge }) => [edge, "backward"])]);
}

/** All contributions that have reached a node by a step, oldest first. */
export const arrivals = (scene, node, step) => indexOf(scene).gifts[node].filter((gift) => gift.step <= step);

/** What a node hands on: the gifts of its own step back, once that step is reached. */
export function handedOn(scene, node, step) {
  const at = indexOf(scene).back[node];
  return at >= 0 && at <= step ? scene.frames[at].gifts : [];
}

/** The nodes that a node depends on, itself, and the nodes that depend on it. */
export function lineage(scene, node) {
  const found = new Set([node]);
  const up = [node];
  while (up.length) {
    for (const parent of scene.nodes[up.pop()].parents) {
      if (!found.has(parent)) found.add(parent), up.push(parent);
    }
  }
  const below = new Set([node]);
  for (let index = node + 1; index < scene.nodes.length; index++) {
    if (scene.nodes[index].parents.some((parent) => below.has(parent))) below.add(index);
  }
  return new Set([...found, ...below]);
}

/** The health marks of a node, from the moment when its value is known. */
export const marksAt = (scene, index, state) => (state.hasValue(index) ? (scene.nodes[index].marks ?? []) : []);

/** What a screen reader says of a node at a step. */
export function nodeWords(scene, index, state) {
  const node = scene.nodes[index];
  const texts = ({ long }) => (long.length > 6 ? `${long.slice(0, 6).join(", ")} and more` : long.join(", "));
  const made = node.text ? `${node.name} = ${node.text}` : `${node.name}, ${node.kind}`;
  const value = state.hasValue(index) ? `value ${texts(node.value)}` : "not computed yet";
  const known = state.adjoint(index);
  const part = known && known.arrival < known.arrivals ? `, ${known.arrival} of ${known.arrivals} contributions` : "";
  const marks = marksAt(scene, index, state).map((mark) => `; ${mark.text}`);
  return `${made}: ${value}${known ? `, adjoint ${texts(known.value)}${part}` : ""}${marks.join("")}`;
}

/** What a screen reader says of a folded group at a step: how much is in it, and its result. */
export function groupWords(scene, index, state) {
  const { name, size, output } = scene.groups[index];
  const result = output === null ? "" : `; its result is ${nodeWords(scene, output, state)}`;
  return `${name}, ${size} nodes, folded${result}`;
}
