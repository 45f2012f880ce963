// Pictures made of shapes, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { colour, heatCells, isThere, patched } from "../../backprop_nb/views/pictures.mjs";

test("a colour is a role of the palette or a heat on a family's scale", () => {
  assert.equal(colour("muted"), "var(--bpnb-muted)");
  assert.equal(
    colour(["adjoint", -0.254]),
    "color-mix(in srgb,var(--bpnb-adjoint-negative) 25%,var(--bpnb-adjoint-zero))",
  );
  assert.equal(colour(undefined), "none");
});

test("the cells of a heat map stand row by row, a gap apart", () => {
  assert.deepEqual(heatCells({ box: [10, 20, 40, 30], columns: 2, gap: 1 }, 6), [
    { x: 10, y: 20, width: 19, height: 9 },
    { x: 30, y: 20, width: 19, height: 9 },
    { x: 10, y: 30, width: 19, height: 9 },
    { x: 30, y: 30, width: 19, height: 9 },
    { x: 10, y: 40, width: 19, height: 9 },
    { x: 30, y: 40, width: 19, height: 9 },
  ]);
});

test("a shape is there from its first step to its last", () => {
  const steps = [0, 1, 2, 3];
  const shown = (shape) => steps.filter((step) => isThere(shape, step));
  assert.deepEqual(shown({}), steps);
  assert.deepEqual(shown({ since: "2" }), [2, 3]); // as a page keeps it: in words
  assert.deepEqual(shown({ since: 1, until: 2 }), [1, 2]);
  assert.deepEqual(shown({ since: 0, until: 0 }), [0]);
});

test("a picture at a step has other shapes where the step says so, and is left as it was", () => {
  const shapes = [
    { kind: "line", key: "loss", points: [[0, 0], [1, 1], [2, 0]] },
    { kind: "rect", key: "bar", box: [0, 0, 5, 5], fill: "text" },
    { kind: "text", text: "loss" },
  ];
  const shown = patched({ width: 9, shapes }, { loss: { cut: 2 }, bar: { box: [0, 0, 8, 5] } });
  assert.deepEqual(shown.shapes[0].points, [[0, 0], [1, 1]]);
  assert.deepEqual(shown.shapes[1].box, [0, 0, 8, 5]);
  assert.equal(shown.shapes[1].fill, "text");
  assert.equal(shown.shapes[2], shapes[2]);
  assert.equal(shown.width, 9);
  assert.equal(shapes[0].points.length, 3);
});
