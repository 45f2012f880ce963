// Names as they are set.

import assert from "node:assert/strict";
import { test } from "node:test";

import { splitName } from "../../backprop_nb/views/elements.mjs";

test("digits at the end of a name become its subscript", () => {
  assert.deepEqual(splitName("f12"), ["f", "12"]);
  assert.deepEqual(splitName("h_1"), ["h", "1"]);
  assert.deepEqual(splitName("loss"), ["loss", ""]);
  assert.deepEqual(splitName("42"), ["42", ""]);
  assert.deepEqual(splitName("a\nb1"), ["a\nb", "1"]);
});
