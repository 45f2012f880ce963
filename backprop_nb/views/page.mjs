// A page without a kernel: what stands behind a view there, and how it is started.

import { html } from "./elements.mjs";
import { bytes, unpacked } from "./scene_model.mjs";

const DARK = '.dark, [data-theme="dark"], [theme="dark"]'; // how MyST, Sphinx and others say it

/** The state of a widget, with the methods that a view knows from anywidget's model. */
export class Model {
  constructor(state) {
    this.state = { ...state };
    this.handlers = new Map();
  }

  get(key) {
    return this.state[key];
  }

  set(key, value) {
    if (Object.is(this.state[key], value)) return;
    this.state[key] = value;
    this.trigger(`change:${key}`, value);
    this.trigger("change");
  }

  on(event, handler) {
    this.handlers.set(event, [...(this.handlers.get(event) ?? []), handler]);
  }

  /** Let go of one handler; without it of all of an event, and without both of all. */
  off(event, handler) {
    const kept = (of) => (handler ? (this.handlers.get(of) ?? []).filter((one) => one !== handler) : []);
    for (const name of event ? [event] : this.handlers.keys()) this.handlers.set(name, kept(name));
  }

  trigger(event, ...args) {
    for (const handler of this.handlers.get(event) ?? []) handler(this, ...args);
  }

  /** Nobody can compute anything new. */
  get offline() {
    return true;
  }

  save_changes() {} // there is no kernel to save them to,

  send() {} // nor one to hear a message
}

/** Show a widget, an ES module's default export, in a place; return a function that lets go of it. */
async function show(widget, packed, el) {
  const model = new Model(await unpacked(bytes(packed)));
  const stop = await widget.initialize?.({ model });
  const dispose = await widget.render({ model, el });
  return () => {
    dispose?.();
    stop?.();
  };
}

/** Show a widget in the page that to_html wrote. */
export async function mount(widget, document) {
  await show(widget, document.getElementById("bpnb-state").textContent, document.getElementById("bpnb-view"));
}

/** Show every widget of a kind in a page that has several; each place holds its state. */
export function mountAll(widget, kind, document) {
  const places = [...document.querySelectorAll(`[data-bpnb-view="${kind}"]`)];
  return Promise.all(places.map((place) => show(widget, place.querySelector("script").textContent, place)));
}

/** A widget that brings its state and its style, for a host that knows nothing of either. */
export const embedded = (widget, packed, css) => ({
  async render({ el }) {
    const place = html("div", {});
    el.append(html("style", {}, css), place); // it may be a shadow tree, which no other sheet reaches
    const { documentElement: root, defaultView } = el.ownerDocument;
    const follow = () => place.classList.toggle("dark", root.matches(DARK));
    const watcher = new defaultView.MutationObserver(follow);
    watcher.observe(root, { attributes: true });
    follow();
    const dispose = await show(widget, packed, place);
    return () => {
      watcher.disconnect();
      dispose();
    };
  },
});
