// The scene of a model, which comes compressed.

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/; // the host of a page from the same machine
const scenes = new WeakMap(); // each is unpacked once, however many views there are

/** The bytes that a text of Base64 stands for. */
export function bytes(text) {
  const characters = atob(text);
  const all = new Uint8Array(characters.length); // filled one by one, which takes a tenth of the time
  for (let k = 0; k < all.length; k++) all[k] = characters.charCodeAt(k);
  return all;
}

/** What live_view.py packed, JSON that may be deflated, as an object; the scene of a page is one already. */
export function unpacked(packed) {
  if (!ArrayBuffer.isView(packed)) return packed;
  if (!scenes.has(packed)) scenes.set(packed, parsed(packed));
  return scenes.get(packed);
}

function parsed(packed) {
  const [first] = new Uint8Array(packed.buffer, packed.byteOffset, 1);
  if (first === "{".charCodeAt()) return JSON.parse(new TextDecoder().decode(packed));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

/** Whether a model was restored without its kernel, which anywidget does not tell. */
async function isDead(model) {
  const identity = model.get("_identity");
  if (!identity || !model.widget_manager?.get_model) return false;
  const found = await model.widget_manager.get_model(identity).catch(() => null);
  return found?.comm_live === false;
}

/**
 * A model whose scene is an object.  To unpack one takes some time: until then `get` gives the
 * scene before, and what has changed with the new one is told when the new one is there.
 */
export class SceneModel {
  constructor(model) {
    this.model = model;
    this.heard = new Map(); // by the handler of a view what the model calls in its place
    this.waiting = new Set();
  }

  /** The model, once its scene is there. */
  static async of(model) {
    const made = new SceneModel(model);
    made.dead = await isDead(model);
    await made.catchUp();
    return made;
  }

  /** Whether the scene is the one that belongs to all other values. */
  get settled() {
    return this.packed === this.model.get("scene");
  }

  /** Whether nobody can compute anything new: on a page of its own, and when it was restored from a file. */
  get offline() {
    return this.model.offline === true || this.dead;
  }

  get(key) {
    return key === "scene" ? this.scene : this.model.get(key);
  }

  set(key, value) {
    this.model.set(key, value);
  }

  save_changes() {
    this.model.save_changes();
  }

  send(content) {
    this.model.send(content);
  }

  on(event, handler) {
    if (!this.heard.has(handler)) {
      this.heard.set(handler, (...args) => (this.settled || !event.startsWith("change:") ? handler(...args) : this.wait(handler)));
    }
    this.model.on(event, this.heard.get(handler));
  }

  off(event, handler) {
    this.waiting.delete(handler);
    this.model.off(event, this.heard.get(handler));
  }

  wait(handler) {
    this.waiting.add(handler);
    if (this.waiting.size === 1) this.catchUp();
  }

  /** Unpack the newest scene; one that comes meanwhile is the newest then. */
  async catchUp() {
    while (!this.settled) {
      const packed = this.model.get("scene");
      const scene = await unpacked(packed);
      if (packed === this.model.get("scene")) [this.packed, this.scene] = [packed, scene];
    }
    const handlers = [...this.waiting];
    this.waiting.clear();
    for (const handler of handlers) handler();
  }
}

/** A widget, as its ES module exports it: its kind of view, and what its model does without any. */
export function live(Kind, initialize = () => {}) {
  return {
    initialize: async ({ model }) => {
      const made = await SceneModel.of(model);
      // As it was saved, it may have played, and filled the window.
      if (made.dead) for (const trait of ["playing", "presenting"]) made.set(trait, false);
      // It goes along with the first change.
      made.set("_near", LOOPBACK.test(globalThis.location?.hostname));
      return initialize({ model: made });
    },
    render: async ({ model, el }) => {
      const view = new Kind(await SceneModel.of(model), el);
      return () => view.dispose();
    },
  };
}
