// Buttons, sliders and choices, and what is dragged.

import { focusInside, html, icon } from "./elements.mjs";

/** Let a control rest, or no more; one that has the focus hands it on, or its view would lose the keys. */
export function rest(control, resting) {
  control.disabled = resting;
  if (!resting || !focusInside(control)) return;
  queueMicrotask(() => { // by then its neighbours are as they will be
    if (!focusInside(control)) return;
    const next = control.parentElement.querySelector("button:enabled") ?? control.closest(".bpnb");
    next.focus({ preventScroll: true });
  });
}

/** A button of the bar: an icon or a text, what it does, and the keys that do the same. */
export function barButton(content, label, keys, onclick) {
  const title = keys ? `${label} (${keys})` : label;
  return html("button", { type: "button", title, "aria-label": label, onclick }, content);
}

/** The button that plays and pauses. */
export function playButton(onclick) {
  const button = barButton(icon("play"), "Play", "Space", onclick);
  button.update = (playing) => {
    const label = playing ? "Pause" : "Play";
    // Between press and release frames may come: an icon replaced meanwhile would lose the click.
    if (button.getAttribute("aria-label") === label) return;
    button.setAttribute("aria-label", label);
    button.title = `${label} (Space)`;
    button.replaceChildren(icon(label.toLowerCase()));
  };
  return button;
}

/** A range with its name and, as text, its value: what `text` makes of the number. */
export function namedRange(name, { min, max, step = 1, value, text = String, onchange }) {
  const output = html("output");
  const input = html("input", { type: "range", min, max, step, oninput: () => onchange(Number(input.value)) });
  const label = html("label", { class: "bpnb-slider" }, html("span", {}, name), input, output);
  label.update = (now) => {
    input.value = now;
    const words = text(now);
    if (output.textContent === words) return; // a browser would lay it out again all the same
    input.setAttribute("aria-valuetext", words);
    output.textContent = words;
  };
  label.update(value);
  return label;
}

/** A few named values, one of which is chosen: radio buttons, so arrow keys move among them. */
export function choice(name, values, { value, onchange }) {
  // Radio buttons of one name exclude each other, in a notebook across all of its views.
  const group = `bpnb-choice-${++choices}-${VIEWS}`;
  const inputs = values.map(([key]) => html("input", { type: "radio", name: group, value: key, onchange: () => onchange(key) }));
  // No legend: only as a block of its own is one placed alike in all browsers.
  const field = html(
    "fieldset",
    { class: "bpnb-choice", "aria-label": name },
    html("span", { class: "bpnb-choice-name", "aria-hidden": "true" }, name),
    ...values.map(([, text], index) => html("label", {}, inputs[index], html("span", {}, text))),
  );
  field.update = (now) => inputs.forEach((input, index) => (input.checked = values[index][0] === now));
  field.update(value);
  return field;
}

/** The controls of a view's traits: each sets its trait, unless `onchange` does more, and shows it. */
export class Controls {
  constructor(view) {
    this.view = view;
    this.all = {}; // by their traits
  }

  /** A few values, one of which is chosen: each a key and its name, or one word for both. */
  choice(trait, name, values, onchange = (value) => this.view.set(trait, value)) {
    const named = values.map((value) => (Array.isArray(value) ? value : [value, value]));
    return (this.all[trait] = choice(name, named, { value: this.view.model.get(trait), onchange }));
  }

  slider(trait, name, options) {
    const onchange = (value) => this.view.set(trait, value);
    return (this.all[trait] = namedRange(name, { value: this.view.model.get(trait), onchange, ...options }));
  }

  update() {
    for (const [trait, control] of Object.entries(this.all)) control.update(this.view.model.get(trait));
  }
}

/** Call `move` wherever the pointer that has pressed an element goes, and `end` when it is let go. */
export function drag(event, element, move, end = () => {}) {
  const stop = () => {
    element.removeEventListener("pointermove", move);
    end();
  };
  element.setPointerCapture(event.pointerId);
  element.addEventListener("pointermove", move);
  element.addEventListener("lostpointercapture", stop, { once: true });
}

let choices = 0;
const VIEWS = Math.random().toString(36).slice(2); // each widget has a copy of this module

/** Tell which of some elements the pointer has moved to, or null; what moves below it while it rests does not count. */
export function whenPointed(root, selector, tell) {
  let over = null;
  root.addEventListener("pointermove", ({ target }) => {
    const now = target.closest(selector);
    if (now !== over) tell((over = now));
  });
  root.addEventListener("pointerleave", () => tell((over = null)));
}
