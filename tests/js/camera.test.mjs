// How large a picture is shown, and how it is moved, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Camera, scaleToFit } from "../../backprop_nb/views/explorer/camera.mjs";

test("a picture is shown whole where its texts can be read then, else at a size to read", () => {
  const picture = { width: 1000, height: 200 };
  assert.equal(scaleToFit(picture, [1000 * 0.8 + 32, 900], false), 0.8);
  assert.equal(scaleToFit(picture, [2000, 200 * 0.71 + 24], false), 0.71);
  assert.equal(scaleToFit(picture, [1000 * 0.69 + 32, 900], false), 0.86);
  assert.equal(scaleToFit({ width: 100, height: 100 }, [1000, 900], false), 1.15);
});

test("who asks for all of a picture gets all of it", () => {
  assert.equal(scaleToFit({ width: 1000, height: 50 }, [1000 * 0.2 + 32, 900], true), 0.2);
});

const camera = (room) => {
  const moves = [];
  const made = new Camera({ clientWidth: room[0], clientHeight: room[1], style: {} }, { style: {} }, () => moves.push(1));
  made.room = room;
  return [made, moves];
};

test("what is in sight or soon may be is near", () => {
  const [one] = camera([400, 300]);
  assert.ok(one.isNear([0, 0, 100, 80]) && one.isNear([590, 0, 100, 80]));
  assert.ok(!one.isNear([610, 0, 100, 80]) && !one.isNear([0, 510, 100, 80]));
  Object.assign(one, { x: -1000, k: 2 });
  assert.ok(!one.isNear([0, 0, 390, 80]) && one.isNear([0, 0, 410, 80]));
});

test("it moves just enough to show a box, and not where it is in sight", () => {
  const [one, moves] = camera([400, 300]);
  const picture = { width: 2000, height: 200 };
  one.show([[100, 10, 100, 80]], picture);
  assert.deepEqual([one.x, moves.length], [0, 0]);
  one.show([[900, 10, 100, 80]], picture);
  assert.equal(one.x, -648); // the box ends 48 pixels before the stage does
  assert.equal(one.y, 0); // there is room for all of its height
});

test("of what has no room the first is shown, with the next as far as they fit", () => {
  const picture = { width: 2000, height: 200 };
  const box = (x) => [x, 10, 100, 80];
  for (const from of [0, -900]) {
    const [one] = camera([400, 300]);
    one.x = from;
    one.show([box(900), box(700), box(300)], picture);
    const ends = [one.x + 700, one.x + 1000];
    assert.ok(ends[0] >= 48 && ends[1] <= 352, ends);
  }
});

test("what is turned over stays where it was on the stage", () => {
  const [one] = camera([400, 300]);
  one.keep({ x: -500, y: 0, k: 1 }, [600, 20, 10, 10], [800, 20, 10, 10], { width: 3000, height: 100 });
  assert.equal(one.x, -700);
});
