// Large arrays as maps, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cellWords, entriesOf, heatsOf, mapWords, mapPaths } from "../../backprop_nb/views/arrays.mjs";

const packed = (...heats) => Buffer.from(new Int16Array(heats.map((heat) => 1000 * heat)).buffer).toString("base64");
const large = { shape: "(4, 6)", map: { rows: 2, columns: 3, block: [2, 2], heat: packed(0, 1, 0, -0.5, 0, 1), long: ["0", "9", "0", "\u22124", "0", "9"] } };

test("a cell of a map says which entries it stands for, and the largest of them", () => {
  assert.equal(cellWords(large.map, 4), "rows 2 to 3, columns 2 to 3: largest in size 0");
  assert.equal(cellWords({ ...large.map, block: [1, 1] }, 3), "row 1, column 0: \u22124");
  assert.equal(cellWords({ ...large.map, rows: 1, block: [1, 2], long: [] }, 2), "columns 4 to 5");
});

test("the numbers of an array are those of its words", () => {
  const texts = (words) => entriesOf({ words });
  assert.deepEqual(texts("[1.5, 0, NaN; \u2212\u221e, 1e\u22127, \u221212350]"), ["1.5", "0", "NaN", "\u2212\u221e", "1e\u22127", "\u221212350"]);
  assert.deepEqual(texts("[0.1; \u22122, \u2026 1192 more]"), ["0.1", "\u22122"]);
  assert.deepEqual(texts("\u22120.5"), ["\u22120.5"]);
  assert.deepEqual(texts("[]"), []);
});

test("heats are read as Python packs them", () => {
  assert.deepEqual(heatsOf({ heat: "+gAY/AAA" }), [0.25, -1, 0]); // as in test_numbers.py
  assert.deepEqual(heatsOf({ heat: "" }), []);
});

test("a map says what it shows", () => {
  assert.equal(mapWords(large), "(4, 6), a cell is the entry largest in size of 2 \u00d7 2");
  assert.equal(mapWords({ ...large, map: { ...large.map, block: [1, 1] } }), "all entries of (4, 6)");
});

test("cells of one heat are one path, and every cell is drawn", () => {
  const paths = mapPaths(large.map);
  assert.deepEqual([...paths.keys()], [0, 1, -0.5]);
  assert.equal(paths.get(1), "M1 0h1v1h-1zM2 1h1v1h-1z");
});
