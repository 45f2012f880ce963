// Arrays (Tensor in views/schema.py) as tables of coloured cells, and as maps if they are large.

import { html, svg } from "./elements.mjs";
import { clamp } from "./geometry.mjs";
import { isPlain } from "./keys.mjs";
import { colour } from "./pictures.mjs";
import { bytes } from "./scene_model.mjs";

/** The numbers of an array, as texts, from the line in which Python wrote them. */
export const entriesOf = ({ words }) => words.replace(/, ….*|[[\]]/g, "").split(/[,;] /).filter(Boolean);

/** The heats of an array or a map, which Python packed. */
export const heatsOf = ({ heat }) => Array.from(new Int16Array(bytes(heat).buffer), (each) => each / 1000);

const firstEntries = (tensor) => entriesOf(tensor).slice(0, 24).join(", ");

/** What a cell of a large array's map stands for, and its number where it came along. */
export function cellWords({ block: [down, across], columns, rows, long }, index) {
  const [row, column] = [Math.floor(index / columns), index % columns];
  const range = (name, at, size) => (size === 1 ? `${name} ${at}` : `${name}s ${at * size} to ${at * size + size - 1}`);
  const place = [...(rows * down > 1 ? [range("row", row, down)] : []), range("column", column, across)].join(", ");
  if (!long.length) return place;
  return down * across === 1 ? `${place}: ${long[index]}` : `${place}: largest in size ${long[index]}`;
}

/** What the map of a large array shows. */
export function mapWords({ shape, map: { block: [down, across] } }) {
  if (down * across === 1) return `all entries of ${shape}`;
  return `${shape}, a cell is the entry largest in size of ${down > 1 && across > 1 ? `${down} × ${across}` : down * across}`;
}

/** The cells of a map by their heat: for each the `d` of one SVG path, a cell being 1 by 1. */
export function mapPaths(map) {
  const paths = new Map();
  heatsOf(map).forEach((each, index) => {
    const d = `M${index % map.columns} ${Math.floor(index / map.columns)}h1v1h-1z`;
    paths.set(each, (paths.get(each) ?? "") + d);
  });
  return paths;
}

const cellStyle = (family, heat) => `--cell:${colour([family, heat])}`;

/** An array as a small table of coloured cells, with its numbers in words beside the colour. */
export function grid(tensor, family, cell, what) {
  if (tensor.map) return heatMap(tensor, family, what);
  const cells = heatsOf(tensor).map((heat, index) => {
    const { text = "", ...attributes } = cell(index);
    return html("span", { style: cellStyle(family, heat), ...attributes }, text);
  });
  const label = `${what}, ${tensor.shape}: ${firstEntries(tensor)}`;
  return html(
    "div",
    { class: "bpnb-grid", role: "img", "aria-label": label, style: `--columns:${Math.max(tensor.columns, 1)}` },
    ...cells,
  );
}

/** A large array as a map of small cells that follow the theme. */
export function heatMap(tensor, family, what) {
  const { rows, columns } = tensor.map;
  const label = `${what}, heat map of ${mapWords(tensor)}; first entries ${firstEntries(tensor)}`;
  return html(
    "div",
    { class: "bpnb-grid bpnb-map", role: "img", "aria-label": label, title: mapWords(tensor) },
    svg(
      "svg",
      { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      ...[...mapPaths(tensor.map)].map(([heat, d]) => svg("path", { d, style: `fill:${colour([family, heat])}` })),
    ),
  );
}

/** A map with room for it; the cell under the pointer, or that the arrow keys lead to, is told. */
function bigMap(tensor, family, what, room) {
  const { map } = tensor;
  const { rows, columns } = map;
  const picture = heatMap(tensor, family, what);
  const side = clamp(Math.floor(room / Math.max(rows, columns)), 3, 14);
  picture.classList.add("bpnb-big-map");
  const [width, height] = [columns === 1 ? 20 : side, rows === 1 ? 20 : side]; // of a cell
  picture.style.width = `${columns * width}px`;
  picture.style.height = `${rows * height}px`;
  const text = html("small", { class: "bpnb-map-text", "aria-live": "polite" }, mapWords(tensor));
  const frame = html("i", { class: "bpnb-map-cell", hidden: true });
  let at = 0;
  const tell = (index) => {
    const found = index === null ? mapWords(tensor) : cellWords(map, index);
    if (text.textContent !== found) text.textContent = found;
    frame.hidden = index === null;
    if (index === null) return;
    at = index;
    frame.style.cssText = `left:${(index % columns) * width}px;top:${Math.floor(index / columns) * height}px;width:${width}px;height:${height}px`;
  };
  const leave = () => tell(null);
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  picture.append(frame);
  Object.assign(picture, {
    tabIndex: 0,
    onpointermove: ({ clientX, clientY }) => {
      const { left, top } = picture.getBoundingClientRect();
      const [column, row] = [Math.floor((clientX - left) / width), Math.floor((clientY - top) / height)];
      tell(clamp(row, 0, rows - 1) * columns + clamp(column, 0, columns - 1));
    },
    onpointerleave: leave,
    onfocus: () => picture.matches(":focus-visible") && tell(at),
    onblur: leave,
    onkeydown: (event) => {
      if (!(event.key in moves) || !isPlain(event)) return;
      const next = at + moves[event.key];
      if (next >= 0 && next < rows * columns) tell(next);
      event.preventDefault();
      event.stopPropagation();
    },
  });
  return html("div", {}, picture, text);
}

/** A vector as a column, unless it is so long that it had better lie. */
export function upright(tensor) {
  const { rows, columns, single, map } = tensor;
  return single || rows > 1 || (!map && columns > 8) ? tensor : transposed(tensor);
}

/** A vector as a row, which a sum shows beside others. */
export function level(tensor) {
  const { shape, rows, columns } = tensor;
  return shape.endsWith(",)") && rows > columns ? transposed(tensor) : tensor;
}

function transposed(tensor) {
  const { map } = tensor;
  const turned = ({ rows, columns, ...rest }) => ({ ...rest, rows: columns, columns: rows });
  return map ? { ...tensor, map: { ...turned(map), block: map.block.toReversed() } } : turned(tensor);
}

/** An array as a table of coloured cells with its numbers in them; a map is at most as large as `room`. */
export function big(tensor, family, what, room = 300) {
  if (tensor.map) return bigMap(tensor, family, what, room);
  const texts = entriesOf(tensor);
  const table = grid(tensor, family, (index) => ({ text: texts[index] }), what);
  table.classList.add("bpnb-big");
  return table;
}
