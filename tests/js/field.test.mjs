// The pure half of field.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ramp } from "../../backprop_nb/views/playground/field.mjs";

test("a ramp goes from one end through the middle to the other, as the palette mixes", () => {
  const [zero, end] = [[0xee, 0xf0, 0xf2], [0x1f, 0x62, 0xb0]];
  const colours = ramp("#c25e00", "#eef0f2", "#1f62b0");
  const at = (level) => [...colours.slice(4 * level, 4 * level + 4)];
  assert.deepEqual(at(0), [0xc2, 0x5e, 0x00, 255]);
  assert.deepEqual(at(255), [...end, 255]);
  assert.deepEqual(at(191).slice(0, 3), zero.map((from, k) => Math.round(from + (end[k] - from) * (191 / 127.5 - 1))));
  for (const level of [127, 128]) zero.forEach((channel, k) => assert.ok(Math.abs(at(level)[k] - channel) <= 1));
});
