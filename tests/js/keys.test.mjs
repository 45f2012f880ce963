// The keys that a view keeps to itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isKept, isPlain } from "../../backprop_nb/views/keys.mjs";

const element = (tagName, more = {}) => ({ tagName, clientHeight: 40, scrollHeight: 40, clientWidth: 40, scrollWidth: 40, ...more });
const BUTTON = element("BUTTON", { type: "button" });
const CARD = element("DIV");
const RANGE = element("INPUT", { type: "range" });
const RADIO = element("INPUT", { type: "radio" });
const TEXT = element("INPUT", { type: "text" });
const SELECT = element("SELECT");
const SUMMARY = element("SUMMARY");
const ALL = [BUTTON, CARD, RANGE, RADIO, TEXT, SELECT, SUMMARY];

/** The event of a key, written as "Ctrl+Shift+c". */
function pressed(keys, target = CARD) {
  const parts = keys.split("+");
  const key = parts.pop();
  const [ctrlKey, shiftKey, altKey, metaKey, graph] = ["Ctrl", "Shift", "Alt", "Meta", "AltGraph"].map((each) => parts.includes(each));
  return { key, target, ctrlKey, shiftKey, altKey, metaKey, getModifierState: (name) => name === "AltGraph" && graph };
}
const kept = (keys, targets = ALL) => targets.filter((target) => isKept(pressed(keys, target)));

test("what commands a host goes on to it from whatever has the focus", () => {
  for (const keys of ["Ctrl+s", "Meta+s", "Shift+Enter", "Ctrl+Enter", "Alt+Enter", "Ctrl+Shift+C", "Ctrl+Shift+M", "Alt+w", "Escape", "F11", "Tab"]) {
    assert.deepEqual(kept(keys), [], keys);
  }
});

test("a letter stays in the view, though it may mean nothing there", () => {
  for (const keys of ["a", "Shift+M", "0", "\u044f", "\u{1d465}", " ", "Dead"]) assert.deepEqual(kept(keys), ALL, keys);
});

test("a control has the keys that a browser gives it", () => {
  assert.deepEqual(kept("Enter"), [BUTTON, SUMMARY]);
  assert.deepEqual(kept("ArrowDown"), [RANGE, RADIO, TEXT, SELECT]);
  assert.deepEqual(kept("Home"), [RANGE, TEXT, SELECT]);
  assert.deepEqual(kept("Backspace"), [TEXT]);
  for (const keys of ["Ctrl+z", "Meta+z", "Ctrl+Shift+Z", "Ctrl+a", "Ctrl+v", "Ctrl+Backspace", "Shift+ArrowLeft"]) {
    assert.ok(kept(keys).includes(TEXT), keys);
  }
  assert.deepEqual(kept("Ctrl+z"), [TEXT]);
});

test("what scrolls has the keys that scroll it, as long as there is more to see", () => {
  globalThis.getComputedStyle = () => ({ overflowX: "visible", overflowY: "auto" });
  const long = element("DIV", { scrollHeight: 90, scrollWidth: 90 });
  assert.deepEqual(kept("PageDown", [long, CARD]), [long]);
  assert.deepEqual(kept("Shift+ArrowDown", [long]), []);
  assert.deepEqual(kept("ArrowRight", [long]), []);
});

test("a key by itself can mean something to a view: AltGr makes characters, Shift too", () => {
  for (const keys of ["[", "Shift+R", "Home", "Ctrl+Alt+AltGraph+["]) assert.ok(isPlain(pressed(keys)), keys);
  for (const keys of ["Ctrl+[", "Alt+[", "Meta+r", "Shift+Home", "Shift+Enter"]) assert.ok(!isPlain(pressed(keys)), keys);
});
