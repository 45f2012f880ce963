// Fields of heat, painted on canvases under a picture: what changes many times a second.
// First half: pure functions, tested without a page.  Second half: the page.

import { html, pictureOf } from "../view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** The 256 colours of a field's heats, each as red, green, blue and full opacity. */
export function ramp(negative, zero, positive) {
  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const [low, middle, high] = [negative, zero, positive].map(channels);
  const colours = new Uint8ClampedArray(4 * 256);
  for (let level = 0; level < 256; level++) {
    const heat = level / 127.5 - 1;
    const end = heat < 0 ? low : high;
    const channel = (from, k) => from + (end[k] - from) * Math.abs(heat);
    colours.set([...middle.map(channel), 255], 4 * level);
  }
  return colours;
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

/** A picture with fields of heat: canvases under its other shapes, in `fields` by their keys. */
export function withFields(data) {
  const fields = new Map();
  for (const { kind, key, box, rows, columns } of data.shapes) {
    if (kind !== "field") continue;
    const [x, y, w, h] = box.map((part, k) => (100 * part) / (k % 2 ? data.height : data.width));
    const style = `left:${x}%;top:${y}%;width:${w}%;height:${h}%`;
    fields.set(key, html("canvas", { width: columns, height: rows, style, "aria-hidden": "true" }));
  }
  const shapes = data.shapes.filter(({ kind }) => kind !== "field");
  const above = pictureOf({ ...data, shapes });
  const element = html("div", { class: "bpnb-fields" }, ...fields.values(), above);
  return { fields, element };
}

/** The colours of a family in the theme that `element` has now. */
export function familyRamp(element, family) {
  const style = getComputedStyle(element);
  const hex = (end) => style.getPropertyValue(`--bpnb-${family}-${end}`).trim();
  return ramp(...["negative", "zero", "positive"].map(hex));
}

/** Paint a field: a byte for each of its cells, in the colours of a ramp. */
export function paintField(canvas, levels, colours) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const cells = new Uint32Array(image.data.buffer);
  const palette = new Uint32Array(colours.buffer);
  levels.forEach((level, k) => (cells[k] = palette[level]));
  context.putImageData(image, 0, 0);
}

/** Call `handler` whenever the theme may have changed, until the returned function is called. */
export function whenThemeChanges(handler) {
  const observer = new MutationObserver(handler);
  observer.observe(document.documentElement, { attributes: true });
  observer.observe(document.body, { attributes: true });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", handler);
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", handler);
  };
}
