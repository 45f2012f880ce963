// The scene of ChainRule as Python packed it for the way here (views/chain/wire.py), unpacked again.

import { filled, heatsOf } from "../explorer/scene.mjs";

const upTo = (first, last) => Array.from({ length: last - first + 1 }, (_, k) => first + k);

/** The beginnings of keys, of which those in a row came as the first and the last. */
export function keysOf(rows) {
  return rows.flatMap(([letter, first, last = first]) => (first === undefined ? [letter] : upTo(first, last).map((k) => `${letter}:${k}`)));
}

/** The scene as the view knows it: matrices by name, frames and shapes with their keys. */
export function chainUnpacked(packed) {
  const shape = ([keys, ...values]) => Object.fromEntries(packed.keys[keys].map((key, k) => [key, values[k]]));
  const shapes = packed.shapes.map(shape);
  const drawing = (each) => {
    if (typeof each === "number") return shapes[each];
    const heat = shape(each);
    return { ...heat, heats: heatsOf(heat.heats) };
  };
  const rows = packed.matrices.map((row) => {
    const matrix = Object.fromEntries(packed.matrix.map((key, k) => [key, row[k]]));
    const [width, height, ...parts] = matrix.picture;
    const [first, ...gaps] = matrix.math;
    const { numbers } = matrix;
    return {
      ...matrix,
      math: filled(packed.formulas[first], gaps),
      lit: keysOf(matrix.lit),
      words: `${matrix.name}, ${matrix.shape}: ${matrix.words}`,
      picture: { width, height, alt: "", shapes: parts.map(drawing) },
      numbers: numbers && { ...numbers, heat: heatsOf(numbers.heat), long: numbers.long.split(" ") },
    };
  });
  const named = (items) => items.map((item) => (typeof item === "number" ? rows[item].name : item));
  const frame = (row) => {
    const { words, title, lines, notes, done, ...rest } = Object.fromEntries(packed.frame.map((key, k) => [key, row[k]]));
    return {
      ...rest,
      notes,
      words: words.map((part) => (typeof part === "number" ? notes[part] : part)).join(""),
      title: named(title),
      lines: lines.map(([name, ...items]) => ({ title: name, items: named(items) })),
      done: done.length ? upTo(...done) : [],
    };
  };
  const chain = ({ factors, steps, left, right, transposes, ...rest }) => ({
    ...rest,
    factors: named(factors),
    steps: named(steps),
    left: left.map(frame),
    right: right.map(frame),
    transposes: transposes.map(frame),
  });
  return {
    ...packed,
    matrices: Object.fromEntries(rows.map((matrix) => [matrix.name, matrix])),
    chains: Object.fromEntries(Object.entries(packed.chains).map(([i, each]) => [i, chain(each)])),
    network: { ...packed.network, shapes: packed.network.shapes.map(shape) },
  };
}

const chainScenes = new WeakMap();

/** The scene of a model, unpacked once however many views there are. */
export function chainSceneOf(model) {
  const packed = model.get("scene");
  if (!chainScenes.has(packed)) chainScenes.set(packed, chainUnpacked(packed));
  return chainScenes.get(packed);
}
