// A scene as Python packed it for the way here (views/explorer/wire.py), unpacked again.

/** A formula: the shape with its gaps filled; the node in a link may be one. */
export function filled([tag, text, attributes, children], gaps) {
  const link = attributes["data-link"];
  const own = Array.isArray(link) ? { ...attributes, "data-link": link[0] + gaps[link[1]] } : attributes;
  return [tag, typeof text === "number" ? gaps[text] : text, own, children.map((child) => filled(child, gaps))];
}

/** An array as one line of text. */
export function tensorWords({ single, rows, columns, long, omitted }) {
  if (single) return long[0];
  const lines = Array.from({ length: rows }, (_, row) => long.slice(row * columns, (row + 1) * columns).join(", "));
  return `[${lines.join("; ")}${omitted ? `, \u2026 ${omitted} more` : ""}]`;
}

const withKeys = (keys, row) => Object.fromEntries(keys.map((key, k) => [key, row[k]]));

const LEVELS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcde";

/** Heats from -1 to 1, of which each came as one letter, in twentieths. */
export const heatsOf = (levels) => [...levels].map((level) => (LEVELS.indexOf(level) - 20) / 20);

/** The map of a large array. */
function mapOf([rows, columns, block, levels, long]) {
  return { rows, columns, block, heat: heatsOf(levels), long };
}

/** A scene as the views know it: arrays and formulas in their places, keys everywhere. */
export function unpacked(packed) {
  const tensors = packed.tensors.map(([shape, rows, columns, heat, long, short, omitted, map]) => ({
    shape,
    single: shape === "a number",
    rows,
    columns,
    heat: heat.map((each) => each / 100),
    long,
    short: short || [],
    fits: Boolean(short),
    omitted,
    map: map ? mapOf(map) : null,
  }));
  const tensor = (number) => (number === null ? null : tensors[number]);
  const formula = (one) => one && filled(packed.formulas[one[0]], one.slice(1));
  const words = (parts) => parts.map((part) => (typeof part === "number" ? tensorWords(tensors[part]) : part)).join("");
  const nodes = packed.nodes.map((row) => {
    const node = withKeys(packed.node, row);
    if (node.marks === null) delete node.marks;
    return { ...node, title: formula(node.title), formula: formula(node.formula), value: tensor(node.value), adjoint: tensor(node.adjoint) };
  });
  const question = (row) => (row ? withKeys(packed.ask, row) : null);
  const gift = (row) => {
    const one = withKeys(packed.gift, row);
    const factors = one.factors.map(([text, names, family, value]) => ({ text, names, family: family === "a" ? "adjoint" : "value", value: tensor(value) }));
    return { ...one, factors, formula: formula(one.formula), value: tensor(one.value), sum: tensor(one.sum), ask: question(one.ask) };
  };
  const frames = packed.frames.map(([phase, node, parts, gifts, ask]) => ({ phase, node, words: words(parts), gifts: gifts.map(gift), ask: question(ask) }));
  return { ...packed, nodes, frames, edges: packed.edges.map(([tail, head]) => ({ tail, head })) };
}

const scenes = new WeakMap();

/** The scene of a model, unpacked once however many views there are. */
export function sceneOf(model) {
  const packed = model.get("scene");
  if (!scenes.has(packed)) scenes.set(packed, unpacked(packed));
  return scenes.get(packed);
}
