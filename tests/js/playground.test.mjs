// The pure half of playground.mjs, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { epochAt, frameAt, kept, widthsOf } from "../../backprop_nb/views/playground/widget.mjs";

const frames = (run, ...epochs) => new Map(epochs.map((epoch) => [epoch, { run, epoch }]));

test("a frame is added, and what is no longer recorded goes", () => {
  const after = kept(frames(1, 0, 1, 2), { run: 1, epoch: 3 }, [0, 2, 3]);
  assert.deepEqual([...after.keys()], [0, 2, 3]);
});

test("of another run nothing is kept", () => {
  const after = kept(frames(1, 0, 1, 2), { run: 2, epoch: 0 }, [0]);
  assert.deepEqual([...after.values()], [{ run: 2, epoch: 0 }]);
});

test("a frame that is there again is there once", () => {
  assert.equal(kept(frames(1, 0, 1), { run: 1, epoch: 1 }, [0, 1]).size, 2);
});

test("the frame of an epoch is the nearest one", () => {
  assert.equal(frameAt(frames(1, 0, 10, 40), 17).epoch, 10);
});

test("layers and units make widths", () => {
  assert.deepEqual(widthsOf(2, 5), [2, 5, 5, 1]);
  assert.deepEqual(widthsOf(0, 5), [2, 1]);
});

test("an epoch lies where the axis has it", () => {
  assert.equal(epochAt({ plot: [46, 340], last: 100 }, 25), 131);
});
