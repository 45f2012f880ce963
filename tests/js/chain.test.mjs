// The pure half of views/chain/widget.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  chainOf,
  factorsAt,
  isLit,
  lowered,
  metAt,
  roleOf,
  wayOf,
  withSigns,
} from "../../backprop_nb/views/chain/widget.mjs";

const scene = {
  chains: { 1: { factors: ["∂L/∂f_2", "∂f_2/∂θ_1"] } },
  matrices: {
    "∂L/∂f_2": { lit: ["f:2", "layer:2", "L"] },
    "∂f_2/∂θ_1": { lit: ["A:1", "theta:1", "f:1", "f:2"] },
  },
};

test("of a large network the one chain that is there is shown until the next arrives", () => {
  assert.equal(chainOf(scene, 1), scene.chains[1]);
  assert.equal(chainOf(scene, 0), scene.chains[1]);
});

test("a section has its own frames", () => {
  assert.deepEqual(["left", "right"].map((side) => wayOf(side, "product")), ["left", "right"]);
  assert.equal(wayOf("right", "transposes"), "transposes");
});

const roles = (way, step) => [0, 1, 2].map((index) => roleOf(way, step, 3, index));

test("from the left and in the code the factors are met from the first to the last", () => {
  for (const way of ["left", "transposes"]) {
    assert.deepEqual([0, 1, 2].map((step) => metAt(way, step, 3)), [0, 1, 2]);
    assert.deepEqual(roles(way, 0), ["now", "later", "later"]);
    assert.deepEqual(roles(way, 2), ["done", "done", "now"]);
  }
});

test("from the right they are met from the last to the first", () => {
  assert.deepEqual([0, 1, 2].map((step) => metAt("right", step, 3)), [2, 1, 0]);
  assert.deepEqual(roles("right", 0), ["later", "later", "now"]);
  assert.deepEqual(roles("right", 1), ["later", "now", "done"]);
});

test("at the end of a product all factors are multiplied", () => {
  for (const way of ["left", "right"]) assert.deepEqual(roles(way, 3), ["done", "done", "done"]);
});

test("a key is lit by its layer, but f_1 does not light f_10", () => {
  const { lit } = scene.matrices["∂f_2/∂θ_1"];
  assert.ok(isLit("A:1:0:2", lit));
  assert.ok(isLit("theta:1", lit));
  assert.ok(!isLit("f:10:0", lit));
  assert.ok(!isLit("A:0:1:1", lit));
});

test("a part of the network lights every factor that it has to do with", () => {
  const names = scene.chains[1].factors;
  assert.deepEqual(factorsAt(scene, names, "f:2:0"), names);
  assert.deepEqual(factorsAt(scene, names, "A:1:0:0"), ["∂f_2/∂θ_1"]);
  assert.deepEqual(factorsAt(scene, names, "A:0:0:0"), []);
});

test("a number is set low", () => assert.equal(lowered(10), "₁₀"));

test("a sign stands in front of its matrix, never at the end of a line", () => {
  const groups = withSigns(["a", "\u00b7", "b", "=", "c"], { a: 0, b: 0, c: 0 });
  assert.deepEqual(groups, [["a"], ["\u00b7", "b"], ["=", "c"]]);
});
