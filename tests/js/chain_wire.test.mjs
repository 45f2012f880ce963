// The pure half of chain_wire.mjs; that it undoes what Python packed is tested from Python.

import assert from "node:assert/strict";
import { test } from "node:test";

import { keysOf } from "../../backprop_nb/views/chain/wire.mjs";

test("keys in a row come as the first and the last, one alone as itself", () => {
  assert.deepEqual(keysOf([["A", 1, 3], ["theta", 2], ["L"]]), ["A:1", "A:2", "A:3", "theta:2", "L"]);
});
