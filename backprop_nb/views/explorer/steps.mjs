// What is known of a graph at a step of its replay: pure functions, tested without a page.
// The scene is ExplorerScene in schema.py.

import { entriesOf } from "../arrays.mjs";
import { counted } from "../elements.mjs";

const indexes = new WeakMap(); // by scene, so that a late step costs no more than an early one

/** When each value, adjoint and edge gets its turn: all of it by node or edge. */
function indexOf(scene) {
  if (indexes.has(scene)) return indexes.get(scene);
  const { nodes, frames, edges } = scene;
  const index = {
    known: nodes.map(({ kind }) => (kind === "operation" ? Infinity : 0)), // the step of the value
    arrivals: nodes.map(() => []), // what arrives, oldest first, with its step and its giver
    back: nodes.map(() => Infinity), // the step back
    into: nodes.map(() => []), // the edges that end at a node
    passed: edges.map(() => Infinity), // the step at which a gradient passes
  };
  edges.forEach(({ head }, edge) => index.into[head].push(edge));
  frames.forEach(({ phase, node, contributions }, step) => {
    if (phase === "forward") index.known[node] = step;
    if (phase === "backward") index.back[node] = step;
    if (phase === "seed") {
      const total = nodes[node].adjoint;
      index.arrivals[node].push({ total, arrival: 1, arrivals: 1, step, from: null });
    }
    for (const one of contributions) {
      index.arrivals[one.parent].push({ ...one, step, from: node });
      index.passed[one.edge] = step;
    }
  });
  indexes.set(scene, index);
  return index;
}

/** Put into a scene what has been told of it since: of a large graph, whatever has come to show. */
export function fillIn(scene, { nodes = {}, frames = {}, tensors = [], shapes = [], after = [] }) {
  Object.assign(scene.nodes, nodes);
  for (const [step, { contributions, ...frame }] of Object.entries(frames)) {
    Object.assign(scene.frames[step], frame);
    Object.assign(scene.frames[step].contributions, contributions); // the first of them
  }
  tensors.forEach((tensor, k) => (scene.tensors[after[0] + k] = tensor));
  shapes.forEach((shape, k) => (scene.shapes[after[1] + k] = shape));
  indexes.delete(scene);
}

/** Whether all is told of a contribution; the numbers alone are there of what is folded away. */
export const isTold = ({ line }) => line !== "";

/**
 * What is known at a step: of which nodes the value, and of which the adjoint, whole or in part:
 * `adjoint` gives what arrived last, with the number of its `total`.
 */
export function stateAt(scene, step) {
  const index = indexOf(scene);
  return {
    step,
    frame: scene.frames[step],
    hasValue: (node) => index.known[node] <= step,
    adjoint: (node) => index.arrivals[node].findLast((one) => one.step <= step) ?? null,
    hasPassed: (edge) => index.passed[edge] <= step,
  };
}

/** The edges along which something travels in a frame, and in which direction. */
export function movingEdges(scene, { phase, node, contributions }) {
  const into = phase === "forward" ? indexOf(scene).into[node] : [];
  return new Map([
    ...into.map((edge) => [edge, "forward"]),
    ...contributions.map(({ edge }) => [edge, "backward"]),
  ]);
}

/** The nodes of which something changes on the way between steps, those of the steps included. */
export const touchedNodes = ({ frames }, steps) =>
  frames
    .slice(Math.min(...steps), Math.max(...steps) + 1)
    .flatMap(({ node, contributions }) => [node, ...contributions.map(({ parent }) => parent)])
    .filter((node) => node !== null);

/** All contributions that have reached a node by a step, oldest first. */
export const arrivals = (scene, node, step) =>
  indexOf(scene).arrivals[node].filter((one) => one.step <= step && one.from !== null);

/** What a node hands on: the contributions of its own step back, once that step is reached. */
export function handedOn(scene, node, step) {
  const at = indexOf(scene).back[node];
  return at <= step ? scene.frames[at].contributions : [];
}

/** The nodes that a node depends on, itself, and the nodes that depend on it. */
export function lineage({ nodes }, node) {
  const [above, below] = [new Set([node]), new Set([node])];
  for (const one of above) for (const parent of nodes[one].parents) above.add(parent);
  for (let index = node + 1; index < nodes.length; index++) {
    if (nodes[index].parents.some((parent) => below.has(parent))) below.add(index);
  }
  return new Set([...above, ...below]);
}

/** The health marks of a node, from the step at which its value is known. */
export const marksAt = (scene, index, state) =>
  state.hasValue(index) ? scene.nodes[index].marks : [];

/** What a screen reader says of a frame. */
export const frameWords = ({ nodes, tensors }, { words, node }) =>
  words.map((part) => (typeof part === "string" ? part : tensors[part].words)).join("") ||
  `${nodes[node].name} is folded away.`;

/** What a screen reader says of a node at a step. */
export function nodeWords(scene, index, state) {
  const node = scene.nodes[index];
  const texts = (tensor) => {
    const all = entriesOf(scene.tensors[tensor]);
    return all.length > 6 ? `${all.slice(0, 6).join(", ")} and more` : all.join(", ");
  };
  const made = node.text ? `${node.name} = ${node.text}` : `${node.name}, ${node.kind}`;
  const value = state.hasValue(index) ? `value ${texts(node.value)}` : "not computed yet";
  const arrived = state.adjoint(index);
  const known = arrived?.total === null ? null : arrived; // not told yet
  const isPart = known && known.arrival < known.arrivals;
  const part = isPart ? `, ${known.arrival} of ${known.arrivals} contributions` : "";
  const adjoint = known ? `, adjoint ${texts(known.total)}${part}` : "";
  const marks = marksAt(scene, index, state).map((mark) => `; ${mark.text}`);
  return `${made}: ${value}${adjoint}${marks.join("")}`;
}

/** What a screen reader says of a card: of a folded group how much is in it, and its result. */
export function cardWords(scene, { group, node }, state) {
  if (group === null) return nodeWords(scene, node, state);
  const { name, size } = scene.groups[group];
  const result = node === null ? "" : `; its result is ${nodeWords(scene, node, state)}`;
  return `${name}, ${counted(size, "node")}, folded${result}`;
}
