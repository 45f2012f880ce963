// What all live views do.  Each widget's own module imports from here; style.py joins what it
// imports into one text, since a widget's module cannot import a neighbour.

export * from "./arrays.mjs";
export * from "./controls.mjs";
export * from "./elements.mjs";
export * from "./geometry.mjs";
export * from "./keys.mjs";
export * from "./pictures.mjs";
export * from "./scene_model.mjs";
import { barButton, playButton, rest } from "./controls.mjs";
import { focusInside, html, icon } from "./elements.mjs";
import { clamp } from "./geometry.mjs";
import { isKept, isPlain } from "./keys.mjs";

const RESTS = "needs a running notebook";

/** What every view does: stand in its place, follow its model, let go of it, say what happens. */
export class View {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.scene = model.get("scene");
    this.listeners = [];
    this.notice = html("p", { class: "bpnb-notice", role: "status", hidden: true });
    this.offline = model.offline; // a page of its own has no kernel from the start
    // A model that has lost its kernel never gets one again.
    this.listen("comm_live_update", () => this.loseKernel());
    this.follow(() => this.updatePresenting(), "presenting");
  }

  listen(event, handler) {
    this.model.on(event, handler);
    this.listeners.push([event, handler]);
  }

  /** Do something whenever one of some traits has changed. */
  follow(action, ...traits) {
    for (const trait of traits) this.listen(`change:${trait}`, () => action());
  }

  dispose() {
    for (const [event, handler] of this.listeners) this.model.off(event, handler);
    this.watching.abort();
    this.dialog.remove();
  }

  set(key, value) {
    this.model.set(key, value);
    this.model.save_changes();
  }

  /** Put the view into its place; it hears the keys that are pressed in it. */
  stand(kind, label, ...children) {
    this.live = html("div", { class: "bpnb-live", "aria-live": "polite" });
    this.root = html(
      "div",
      {
        class: `bpnb bpnb-${kind}`, // below which the rules of its own style sheet hold
        role: "group",
        "aria-label": label,
        tabindex: -1,
        onkeydown: (event) => this.onKey(event),
      },
      this.notice,
      ...children,
      this.live,
    );
    // Whether a press gives the view the focus: then what it is on may not be meant.
    const onPress = () => (this.enters = !focusInside(this.root));
    this.root.addEventListener("pointerdown", onPress, true);
    this.buildPresentation(label);
    this.el.classList.add("bpnb-place"); // by which still.html knows that a view is there
    document.documentElement.classList.add("bpnb-alive"); // or somewhere
    this.el.replaceChildren(this.root);
    this.updateOffline();
    this.updatePresenting();
    if (this.model.dead) this.tellOfKernel("This view was saved with its notebook, and its kernel has ended.");
  }

  loseKernel() {
    this.offline = true;
    this.tellOfKernel("The kernel behind this view has ended.");
    this.updateOffline();
  }

  tellOfKernel(what) {
    this.notice.textContent = `${what} ${this.whatIsLeft()}. For all of it, run the cells above again, and then this one.`;
    this.notice.hidden = false;
  }

  /** What a view can do without a kernel. */
  whatIsLeft() {
    return "What is shown can still be moved";
  }

  /** Let nobody turn what only a kernel can answer: whatever stands inside of `data-kernel`. */
  updateOffline() {
    const parts = [...this.root.querySelectorAll("[data-kernel]")];
    for (const part of parts) {
      for (const control of [part, ...part.querySelectorAll("input, button, select")]) {
        if ("disabled" in control) rest(control, this.offline);
      }
      if (this.offline) part.title = RESTS;
    }
    // Said once where all see it, the others say it when they are pointed at.
    const place = parts.find((part) => part.querySelector("input"));
    if (this.offline && place && !this.root.querySelector(".bpnb-rests")) {
      place.append(html("em", { class: "bpnb-rests" }, RESTS));
    }
  }

  // -- for a projector -------------------------------------------------------

  /** A button in the bar, and a dialog into which the view moves: that is above all of any page. */
  buildPresentation(label) {
    this.presentButton = barButton(icon("present"), "Presentation", "", () => this.present());
    this.root.querySelector(".bpnb-bar").append(this.presentButton);
    const onclose = () => this.set("presenting", false); // by Escape, too
    this.dialog = html("dialog", { class: "bpnb-presentation", "aria-label": label, onclose });
    this.watching = new AbortController();
    // There Escape leaves the full screen first, and nobody wants half of it back.
    const onChange = () => {
      if (this.dialog.open && !document.fullscreenElement) this.set("presenting", false);
    };
    document.addEventListener("fullscreenchange", onChange, { signal: this.watching.signal });
  }

  /** Fill the screen, or where that is not allowed the window; or leave it. */
  async present() {
    const presenting = !this.model.get("presenting");
    // First the screen: what comes into the top layer later is above.
    if (presenting) await document.documentElement.requestFullscreen?.().catch(() => {});
    this.set("presenting", presenting);
  }

  updatePresenting() {
    const presenting = this.model.get("presenting");
    if (presenting === this.root.classList.contains("bpnb-presenting")) return;
    // A notebook makes a view before it has its place, where alone a dialog opens.
    const later = () => this.watching.signal.aborted || this.updatePresenting();
    if (!this.el.isConnected) return void requestAnimationFrame(later);
    const focused = focusInside(this.root) ?? this.root;
    this.root.classList.toggle("bpnb-presenting", presenting);
    const label = presenting ? "Leave the presentation" : "Presentation";
    this.presentButton.setAttribute("aria-label", label);
    this.presentButton.title = presenting ? `${label} (Escape)` : label;
    if (presenting) {
      this.dialog.append(this.root);
      this.el.append(this.dialog);
      this.dialog.showModal();
    } else {
      this.el.replaceChildren(this.root);
      this.dialog.close();
      if (document.fullscreenElement) document.exitFullscreen();
    }
    focused.focus({ preventScroll: true });
  }

  /** Tell a screen reader what a sighted user sees. */
  say(words) {
    this.live.textContent = words;
  }

  /** What keys do, as a map from `event.key` to a function or undefined. */
  actions() {
    return {};
  }

  /** Do what a key does; whatever it means to nobody in here is the host's. */
  onKey(event) {
    this.enters = false;
    // A host that means something by Escape would keep the dialog open.
    const leave = event.key === "Escape" && this.dialog.open ? () => this.set("presenting", false) : undefined;
    const action = leave ?? (isPlain(event) ? this.actions(event)[event.key] : undefined);
    if (action) {
      action();
      event.preventDefault();
    }
    if (action || isKept(event)) event.stopPropagation();
  }
}

/** A view of frames, one of which is shown: trait `step`; `playing` is a trait too. */
export class Replay extends View {
  get frames() {
    return this.scene.frames;
  }

  get last() {
    return this.frames.length - 1;
  }

  get step() {
    return clamp(this.model.get("step"), 0, this.last);
  }

  whatIsLeft() {
    return this.last > 0 ? "What is shown can still be stepped" : "What is shown can still be read";
  }

  /** Show a step; whoever asks for more than there are reads why nothing moves. */
  go(step) {
    const to = clamp(step, 0, this.last);
    const words = step < 0 ? "This is the first step." : "This is the last step.";
    const beyond = to === this.step && step !== to;
    this.end.replaceChildren(...(beyond ? [html("em", {}, words)] : []));
    if (beyond) requestAnimationFrame(() => this.say(words)); // after a picture that is on its way
    else this.reach(to);
  }

  reach(step) {
    this.set("step", step);
  }

  /** A step forward or back; a view may take several frames at once. */
  stepBy(way) {
    this.go(this.step + way);
  }

  togglePlay() {
    if (!this.model.get("playing") && this.step === this.last) this.go(0);
    this.set("playing", !this.model.get("playing"));
  }

  /** Five buttons and a slider; `turn` is the frame at which the way back begins, if there is one. */
  buildReplay(turn = -1) {
    const button = (name, label, keys, action) => barButton(icon(name), label, keys, action);
    this.playButton = playButton(() => this.togglePlay());
    this.slider = html("input", {
      type: "range",
      min: 0,
      max: this.last,
      "aria-label": "Step",
      oninput: () => this.go(Number(this.slider.value)),
    });
    this.end = html("span", { class: "bpnb-end" });
    this.slider.style.setProperty("--turn", `${turn < 0 ? 100 : (100 * turn) / Math.max(this.last, 1)}%`);
    const buttons = html(
      "div",
      { class: "bpnb-buttons", role: "group", "aria-label": "Replay" },
      button("first", "To the start", "Home", () => this.go(-1)),
      button("back", "Step back", "[", () => this.stepBy(-1)),
      this.playButton,
      button("forward", "Step forward", "]", () => this.stepBy(1)),
      button("last", "To the end", "End", () => this.go(Infinity)),
      this.end,
    );
    return [buttons, this.slider];
  }

  /** Show where the replay is; `words` say the frame. */
  updateReplay(words) {
    this.slider.max = this.last;
    this.slider.value = this.step;
    this.slider.setAttribute("aria-valuetext", words);
    this.say(`Step ${this.step} of ${this.last}. ${words}`);
  }

  updatePlay() {
    const playing = this.model.get("playing");
    this.playButton.update(playing);
    this.root.classList.toggle("bpnb-playing", playing);
  }

  actions(event) {
    // A field to type in keeps its keys, a button its Space, a slider its Home and End.
    const { tagName, type } = event.target;
    if (tagName === "SELECT" || (tagName === "INPUT" && type !== "range" && type !== "radio")) return {};
    const other = type === "range" && event.target !== this.slider;
    return {
      "[": () => this.stepBy(-1),
      "]": () => this.stepBy(1),
      Home: other ? undefined : () => this.go(-1),
      End: other ? undefined : () => this.go(Infinity),
      " ": tagName === "BUTTON" || tagName === "SUMMARY" || type === "radio" ? undefined : () => this.togglePlay(),
    };
  }
}

/**
 * One clock for a model, however many views it has; `nextOf` says which step comes next,
 * `framesOf` what is replayed.
 */
export function clock({ model }, { nextOf = () => model.get("step") + 1, framesOf = () => model.get("scene").frames } = {}) {
  let timer = null;
  const tick = () => {
    const next = nextOf(model);
    const last = framesOf(model).length - 1;
    if (next >= last) model.set("playing", false);
    model.set("step", Math.min(next, last));
    model.save_changes();
  };
  const onPlaying = () => {
    clearInterval(timer);
    timer = model.get("playing") ? setInterval(tick, model.get("interval")) : null;
  };
  model.on("change:playing", onPlaying);
  onPlaying();
  return () => {
    clearInterval(timer);
    model.off("change:playing", onPlaying);
  };
}
