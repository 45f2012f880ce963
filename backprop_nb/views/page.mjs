// A page without a kernel: what stands behind a view there, and how it is started.

import { bytes, unpacked } from "./scene_model.mjs";

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

/** Show a widget, an ES module's default export, in the page that to_html wrote. */
export async function mount(widget, document) {
  const model = new Model(await unpacked(bytes(document.getElementById("bpnb-state").textContent)));
  await widget.initialize?.({ model });
  await widget.render({ model, el: document.getElementById("bpnb-view") });
}
