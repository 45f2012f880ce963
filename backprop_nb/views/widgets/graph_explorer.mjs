// GraphExplorer.  First half: pure functions of a scene, tested without a page.
// Second half: the page.  A scene comes from Python once; stepping needs no kernel.

import {
  Replay,
  arrowHead,
  badge,
  big,
  clamp,
  clock,
  curve,
  grid,
  html,
  labelled,
  math,
  nameParts,
  operator,
  scrollInside,
  shiftToShow,
  svg,
} from "./view.mjs";

// ---------------------------------------------------------------------------
// First half: pure functions
// ---------------------------------------------------------------------------

/** What is known at a step: values, adjoints (whole or in part), and the moving edges. */
export function stateAt(scene, step) {
  const values = new Set();
  const adjoints = new Map();
  scene.nodes.forEach((node, index) => {
    if (node.kind !== "operation") values.add(index);
  });
  const frame = scene.frames[step];
  for (const past of scene.frames.slice(0, step + 1)) {
    if (past.phase === "forward") values.add(past.node);
    if (past.phase === "seed") {
      adjoints.set(past.node, { value: scene.nodes[past.node].adjoint, arrival: 1, arrivals: 1 });
    }
    for (const gift of past.gifts) {
      adjoints.set(gift.parent, { value: gift.sum, arrival: gift.arrival, arrivals: gift.arrivals });
    }
  }
  return { frame, values, adjoints, moving: movingEdges(scene, frame), spent: spentEdges(scene, step) };
}

/** The edges along which something travels in a frame, and in which direction. */
export function movingEdges(scene, frame) {
  const moving = new Map();
  if (frame.phase === "forward") {
    scene.edges.forEach((edge, index) => edge.head === frame.node && moving.set(index, "forward"));
  }
  for (const gift of frame.gifts) moving.set(gift.edge, "backward");
  return moving;
}

/** The edges that a gradient has already travelled before or at a step. */
function spentEdges(scene, step) {
  const gifts = scene.frames.slice(0, step + 1).flatMap((frame) => frame.gifts);
  return new Set(gifts.map((gift) => gift.edge));
}

/** All contributions that have reached a node by a step, oldest first. */
export function arrivals(scene, node, step) {
  return scene.frames
    .slice(0, step + 1)
    .flatMap((frame) => frame.gifts.map((gift) => ({ ...gift, from: frame.node })))
    .filter((gift) => gift.parent === node);
}

/** What a node hands on: the gifts of its own step back, once that step is reached. */
export function handedOn(scene, node, step) {
  const at = scene.frames.findIndex((frame) => frame.phase === "backward" && frame.node === node);
  return at >= 0 && at <= step ? scene.frames[at].gifts : [];
}

/** The nodes that a node depends on, itself, and the nodes that depend on it. */
export function lineage(scene, node) {
  const found = new Set([node]);
  const up = [node];
  while (up.length) {
    for (const parent of scene.nodes[up.pop()].parents) {
      if (!found.has(parent)) found.add(parent), up.push(parent);
    }
  }
  const below = new Set([node]);
  for (let index = node + 1; index < scene.nodes.length; index++) {
    if (scene.nodes[index].parents.some((parent) => below.has(parent))) below.add(index);
  }
  return new Set([...found, ...below]);
}

/** The node that an arrow key leads to: along an edge sideways, to the nearest card up or down. */
export function neighbour(scene, node, key) {
  const middle = (index) => {
    const [left, top, width, height] = scene.nodes[index].box;
    return [left + width / 2, top + height / 2];
  };
  const [x, y] = middle(node);
  const nearest = (candidates, distance) =>
    candidates.reduce((best, one) => (best === null || distance(one) < distance(best) ? one : best), null);
  const everyone = scene.nodes.map((_, index) => index);
  if (key === "ArrowLeft") return nearest(scene.nodes[node].parents, (i) => Math.abs(middle(i)[1] - y));
  if (key === "ArrowRight") {
    const children = everyone.filter((i) => scene.nodes[i].parents.includes(node));
    return nearest(children, (i) => Math.abs(middle(i)[1] - y));
  }
  const side = key === "ArrowDown" ? 1 : -1;
  const there = everyone.filter((i) => (middle(i)[1] - y) * side > 1);
  return nearest(there, (i) => Math.abs(middle(i)[1] - y) + 3 * Math.abs(middle(i)[0] - x));
}

/**
 * Cut a block of source into pieces, each with the innermost node whose
 * expression covers it (or null): one list of pieces for every line.
 */
export function pieces(lines, places) {
  return lines.map((text, line) => {
    const onLine = places
      .filter(({ start, end }) => start[0] <= line && line <= end[0])
      .map(({ node, start, end }) => ({
        node,
        from: start[0] === line ? start[1] : 0,
        to: end[0] === line ? end[1] : text.length,
      }));
    const cuts = [...new Set([0, text.length, ...onLine.flatMap((p) => [p.from, p.to])])]
      .filter((cut) => cut <= text.length)
      .sort((a, b) => a - b);
    return cuts.slice(0, -1).map((from, index) => {
      const to = cuts[index + 1];
      const covering = onLine.filter((p) => p.from <= from && to <= p.to);
      const inner = covering.sort((a, b) => a.to - a.from - (b.to - b.from))[0];
      return { text: text.slice(from, to), node: inner ? inner.node : null, nodes: covering.map((p) => p.node) };
    });
  });
}

/** What a screen reader says of a node at a step. */
export function nodeWords(scene, index, state) {
  const node = scene.nodes[index];
  const texts = (tensor) =>
    tensor.long.length > 6 ? `${tensor.long.slice(0, 6).join(", ")} and more` : tensor.long.join(", ");
  const made = node.text ? `${node.name} = ${node.text}` : `${node.name}, ${node.kind}`;
  const value = state.values.has(index) ? `value ${texts(node.value)}` : "not computed yet";
  const known = state.adjoints.get(index);
  const part = known && known.arrival < known.arrivals ? `, ${known.arrival} of ${known.arrivals} contributions` : "";
  const marks = marksAt(scene, index, state).map((mark) => `; ${mark.text}`);
  return `${made}: ${value}${known ? `, adjoint ${texts(known.value)}${part}` : ""}${marks.join("")}`;
}

/** The health marks of a node, from the moment when its value is known. */
export function marksAt(scene, index, state) {
  return state.values.has(index) ? (scene.nodes[index].marks ?? []) : [];
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const SMALLEST = 0.86; // below this scale the texts on the cards are too small to read

// A card is a button.  Its visible label is the name of its node; what else is on it is drawn
// by the style sheet, so that whoever speaks to the page need not say all the numbers.
const cardGrid = (tensor, family, what) =>
  grid(tensor, family, (index) => (tensor.fits ? { "data-text": tensor.short[index] } : {}), what);

class Explorer extends Replay {
  constructor(model, el) {
    super(model, el);
    this.view = { x: 0, y: 0, k: 1, follow: true };
    this.resize = new ResizeObserver(() => this.fit());
    this.build();
    this.listen("change:step", () => this.update());
    this.listen("change:selected", () => this.update());
    this.listen("change:playing", () => this.updatePlay());
    this.listen("change:scene", () => this.rebuild());
  }

  dispose() {
    super.dispose();
    this.resize.disconnect();
  }

  rebuild() {
    this.scene = this.model.get("scene");
    this.resize.disconnect();
    this.build();
  }

  get selected() {
    const index = this.scene.nodes.findIndex((node) => node.name === this.model.get("selected"));
    return index < 0 ? null : index;
  }

  select(index) {
    this.set("selected", index === null ? "" : this.scene.nodes[index].name);
  }

  // -- building -------------------------------------------------------------

  build() {
    this.stand(this.scene.alt, this.buildBar(), this.buildStage(), this.buildLegend(), this.buildPanels());
    this.update();
    this.updatePlay();
    this.resize.observe(this.stage);
  }

  buildBar() {
    const turn = this.scene.frames.findIndex((frame) => frame.phase === "seed");
    this.title = html("div", { class: "bpnb-title" });
    return html("div", { class: "bpnb-bar" }, ...this.buildReplay(turn), this.title);
  }

  buildStage() {
    const { width, height, nodes, edges, groups } = this.scene;
    this.edges = edges.map((edge) => ({
      line: svg("path", { class: "bpnb-edge", d: curve(edge.path) }),
      head: svg("polygon", { class: "bpnb-head", points: arrowHead(edge.path) }),
    }));
    const lines = svg(
      "svg",
      { width, height, "aria-hidden": "true" },
      ...groups.map(({ box: [x, y, w, h] }) => svg("rect", { class: "bpnb-group", x, y, width: w, height: h, rx: 10 })),
      ...this.edges.flatMap(({ line, head }) => [line, head]),
    );
    const names = groups.map(({ name, box: [x, y] }) =>
      html("span", { class: "bpnb-group-name", style: `left:${x + 9}px;top:${y}px` }, name),
    );
    this.cards = nodes.map((node, index) => this.buildCard(node, index));
    this.world = html("div", { class: "bpnb-world", style: `width:${width}px;height:${height}px` }, lines, ...names, ...this.cards);
    this.stage = html(
      "div",
      {
        class: "bpnb-stage",
        role: "group",
        "aria-label": "Computation graph. Arrow keys follow the edges.",
        onwheel: (event) => this.onWheel(event),
        onpointerdown: (event) => this.onDrag(event),
      },
      this.world,
      html(
        "div",
        { class: "bpnb-zoom" },
        html("button", { type: "button", title: "Zoom in", "aria-label": "Zoom in", onclick: () => this.zoom(1.25) }, "+"),
        html("button", { type: "button", title: "Zoom out", "aria-label": "Zoom out", onclick: () => this.zoom(0.8) }, "\u2212"),
        html("button", { type: "button", title: "Fit the whole graph", "aria-label": "Fit the whole graph", onclick: () => this.fit(true) }, "fit"),
      ),
    );
    return this.stage;
  }

  buildCard(node, index) {
    const [left, top, width, height] = node.box;
    return html(
      "div",
      {
        class: `bpnb-card bpnb-${node.kind}`,
        role: "button",
        tabindex: -1,
        "data-node": node.name,
        style: `left:${left}px;top:${top}px;width:${width}px;height:${height}px`,
        onclick: () => this.select(index),
        onfocus: (event) => this.light(event.target.matches(":focus-visible") ? index : null),
        onblur: () => this.light(null),
        onpointerenter: () => this.light(index),
        onpointerleave: () => this.light(null),
      },
      html("div", { class: "bpnb-card-top" }, html("span", { class: "bpnb-symbol", "data-text": node.text && node.text.length <= 8 ? node.text : node.symbol }), html("span", { class: "bpnb-name" }, ...nameParts(node.name)), ...this.buildMarks(node)),
      html("div", { class: "bpnb-slot" }),
      html("div", { class: "bpnb-slot" }),
    );
  }

  /** A node's marks on its card: for the eye and the mouse; the card's label says them. */
  buildMarks(node) {
    return (node.marks ?? []).map(({ text, look, box: [x, y] }) =>
      html("span", { class: "bpnb-card-mark", title: text, style: `left:${x}px;top:${y}px` }, badge(this.scene.marks[look])),
    );
  }

  buildLegend() {
    const scale = (family, text) =>
      html("span", { class: "bpnb-scale" }, html("i", { class: `bpnb-ramp bpnb-ramp-${family}` }), text);
    return html(
      "div",
      { class: "bpnb-legend" },
      scale("value", `value ${this.scene.legend.value}`),
      scale("adjoint", `adjoint ${this.scene.legend.adjoint}`),
      html("span", { class: "bpnb-scale" }, html("i", { class: "bpnb-empty" }), "not yet known"),
      html("span", { class: "bpnb-scale" }, html("i", { class: "bpnb-dashed" }), "constant, no adjoint"),
      ...(this.scene.marks ?? []).map((look) => html("span", { class: "bpnb-scale" }, badge(look), look.legend)),
    );
  }

  buildPanels() {
    this.numbers = html("section", { class: "bpnb-panel bpnb-numbers", tabindex: 0, "aria-label": "Numbers of one node" });
    this.codeSpans = [];
    const blocks = this.scene.code.map((block, index) => this.buildCode(block, index));
    this.lines = [];
    this.scene.frames.forEach((frame, step) =>
      frame.gifts.forEach((gift) => {
        const line = html(
          "span",
          { class: "bpnb-line", onpointerenter: () => this.light(gift.parent), onpointerleave: () => this.light(null), onclick: () => this.go(step) },
          gift.line,
        );
        this.lines.push({ line, step, node: gift.parent });
      }),
    );
    const code = (title, children) =>
      html("section", { class: "bpnb-panel", tabindex: 0, "aria-label": title }, html("h2", {}, title), html("pre", {}, ...children));
    return html(
      "div",
      { class: "bpnb-panels" },
      this.numbers,
      html(
        "div",
        { class: "bpnb-codes" },
        blocks.length ? code("your code", blocks) : null,
        this.lines.length ? code("its backward pass, as NumPy", this.lines.map(({ line }) => line)) : null,
      ),
    );
  }

  buildCode(block, index) {
    const places = this.scene.nodes.flatMap((node, n) =>
      node.code && node.code.block === index ? [{ node: n, ...node.code }] : [],
    );
    return html(
      "span",
      { class: "bpnb-block" },
      ...pieces(block.lines, places).map((line) =>
        html(
          "span",
          { class: "bpnb-line" },
          ...line.map(({ text, node, nodes }) => {
            const span = html("span", {}, text);
            if (node !== null) {
              span.addEventListener("pointerenter", () => this.light(node));
              span.addEventListener("pointerleave", () => this.light(null));
              span.addEventListener("click", () => this.select(node));
              this.codeSpans.push({ span, nodes });
            }
            return span;
          }),
        ),
      ),
    );
  }

  // -- updating -------------------------------------------------------------

  update() {
    const { scene, step } = this;
    const state = (this.state = stateAt(scene, step));
    const focus = this.selected ?? state.frame.node;
    this.updateReplay(state.frame.words);
    this.updateTitle(state);
    this.updateCards(state, focus);
    this.updateEdges(state);
    this.updateCode(state, step);
    this.numbers.replaceChildren(...this.describe(focus ?? scene.output, state));
    this.show(state);
  }

  updateTitle({ frame }) {
    const back = frame.phase === "seed" || frame.phase === "backward";
    const word = { start: "Start", forward: "Forward" }[frame.phase] ?? "Backward";
    const count = `step ${this.step} of ${this.scene.frames.length - 1}`;
    const formulas = html("span", { class: "bpnb-formulas" });
    if (frame.phase === "start") formulas.append("the inputs are known, nothing is computed yet");
    if (frame.phase === "seed") formulas.append(`the adjoint of ${this.scene.nodes[frame.node].name} itself is 1`);
    if (frame.phase === "forward") {
      const node = this.scene.nodes[frame.node];
      formulas.append(math(node.title), " = ", math(node.formula));
    }
    for (const gift of frame.gifts) formulas.append(html("span", {}, math(gift.formula)));
    this.title.replaceChildren(
      html("strong", { class: back ? "bpnb-back" : "bpnb-forth" }, word),
      html("span", { class: "bpnb-count" }, count),
      formulas,
    );
  }

  updateCards(state, focus) {
    const current = state.frame.node;
    const receiving = new Set(state.frame.gifts.map((gift) => gift.parent));
    const tabbable = this.selected ?? current ?? 0;
    this.cards.forEach((card, index) => {
      const node = this.scene.nodes[index];
      const known = state.adjoints.get(index);
      card.classList.toggle("bpnb-current", index === current);
      card.classList.toggle("bpnb-going-back", index === current && state.frame.phase !== "forward");
      card.classList.toggle("bpnb-receiving", receiving.has(index));
      card.classList.toggle("bpnb-healthy", !marksAt(this.scene, index, state).length);
      card.classList.toggle("bpnb-focus", index === focus && this.selected !== null);
      card.tabIndex = index === tabbable ? 0 : -1;
      card.setAttribute("aria-label", nodeWords(this.scene, index, state));
      card.setAttribute("aria-pressed", index === this.selected ? "true" : "false");
      const [, value, adjoint] = card.children;
      value.replaceChildren(...(state.values.has(index) ? [cardGrid(node.value, "value", "value")] : []));
      adjoint.replaceChildren(...(known ? this.adjointParts(known) : []));
    });
  }

  adjointParts(known) {
    const parts = [cardGrid(known.value, "adjoint", "adjoint")];
    if (known.arrivals > 1) parts.push(html("span", { class: "bpnb-badge" }, `${known.arrival} of ${known.arrivals}`));
    return parts;
  }

  updateEdges({ moving, spent }) {
    this.edges.forEach(({ line, head }, index) => {
      const path = this.scene.edges[index].path;
      const way = moving.get(index) ?? (spent.has(index) ? "spent" : "idle");
      const back = way === "backward" || way === "spent";
      line.setAttribute("class", `bpnb-edge bpnb-${way}`);
      head.setAttribute("class", `bpnb-head bpnb-${way}`);
      head.setAttribute("points", arrowHead(back ? [...path].reverse() : path, moving.has(index) ? 10 : 7));
    });
  }

  updateCode({ frame }, step) {
    for (const { span, nodes } of this.codeSpans) {
      span.classList.toggle("bpnb-mark", nodes.includes(frame.node));
      span.classList.toggle("bpnb-mark-back", nodes.includes(frame.node) && frame.phase !== "forward");
    }
    for (const entry of this.lines) {
      entry.line.classList.toggle("bpnb-now", entry.step === step);
      entry.line.classList.toggle("bpnb-later", entry.step > step);
    }
    const now = this.lines.find((entry) => entry.step === step);
    if (now) scrollInside(now.line);
    const mark = this.codeSpans.find(({ nodes }) => nodes.includes(frame.node));
    if (mark) scrollInside(mark.span);
  }

  /** The panel of one node: its numbers, what arrived, and what it hands on. */
  describe(index, state) {
    const node = this.scene.nodes[index];
    const output = this.scene.nodes[this.scene.output].name;
    const known = state.adjoints.get(index);
    const head = html("h2", { class: "bpnb-node" }, html("span", { class: "bpnb-name" }, ...nameParts(node.name)), html("code", {}, node.text ? `= ${node.text}` : node.kind), html("small", {}, node.value.shape));
    const place = node.code ? `line ${this.scene.code[node.code.block].first + node.code.start[0]}: ` : "";
    const source = node.source ? html("p", { class: "bpnb-source" }, place, html("code", {}, node.source)) : null;
    const value = labelled("value", state.values.has(index) ? big(node.value, "value", "value") : html("em", {}, "not computed yet"));
    const partial = known && known.arrival < known.arrivals ? ` (${known.arrival} of ${known.arrivals} so far)` : "";
    const adjoint =
      node.kind === "constant"
        ? html("em", {}, "a constant has none")
        : known
          ? big(known.value, "adjoint", "adjoint")
          : html("em", {}, "not yet known");
    const marks = marksAt(this.scene, index, state).map(({ text, look }) =>
      html("p", { class: "bpnb-health" }, badge(this.scene.marks[look]), html("span", {}, text)),
    );
    const parts = [head, source, ...marks, value, labelled(`adjoint \u2202${output}/\u2202${node.name}${partial}`, adjoint)];
    const given = handedOn(this.scene, index, this.step);
    if (given.length) parts.push(html("h3", {}, "hands on"), ...given.map((gift) => this.product(gift, gift.parent)));
    const arrived = arrivals(this.scene, index, this.step);
    if (arrived.length) {
      parts.push(html("h3", {}, arrived[0].arrivals > 1 ? `receives ${arrived[0].arrivals} contributions, which add up` : "receives"));
      parts.push(...arrived.map((gift) => this.product(gift, gift.from, "from ")));
      if (arrived.length > 1) parts.push(this.sum(index));
    }
    return parts.filter((part) => part !== null);
  }

  /** One contribution: the rule as code, then factor by factor with numbers and shapes. */
  product(gift, other, preposition = "to ") {
    const factor = (sign, tensor, family, text) =>
      html(
        "div",
        { class: "bpnb-factor" },
        sign ? operator(sign) : null,
        html("div", {}, big(tensor, family, text), html("small", {}, text + (tensor.single ? "" : ` ${tensor.shape}`))),
      );
    const row = html(
      "div",
      { class: "bpnb-product" },
      ...gift.factors.map(({ text, family, value }, k) => factor(k ? gift.symbol : "", value, family, text)),
      factor(gift.factors.length ? "=" : "", gift.value, "adjoint", gift.arrivals > 1 ? "contribution" : `d_${this.scene.nodes[gift.parent].name}`),
    );
    const name = html("b", { class: "bpnb-name" }, ...nameParts(this.scene.nodes[other].name));
    const line = html("p", {}, preposition, name, html("code", {}, gift.line));
    const sum = preposition === "to " && gift.arrival > 1 ? this.sum(gift.parent) : null;
    return html("div", { class: "bpnb-gift" }, ...[line, row, sum].filter((part) => part !== null));
  }

  /** What has reached a node so far, adding up. */
  sum(index) {
    const arrived = arrivals(this.scene, index, this.step);
    const { arrival, arrivals: all, sum } = arrived.at(-1);
    const terms = arrived.flatMap((gift, k) => [...(k ? [operator("+")] : []), big(gift.value, "adjoint", "contribution")]);
    const name = `d_${this.scene.nodes[index].name}`;
    const text = arrival < all ? `${name} so far, ${arrival} of ${all}` : `${name}, all ${all} added up`;
    return html("div", { class: "bpnb-product bpnb-sum" }, html("small", {}, text), ...terms, operator("="), big(sum, "adjoint", text));
  }

  /** Light a node's ancestors and descendants, its expression and its line; null puts all out. */
  light(index) {
    const lit = index === null ? null : lineage(this.scene, index);
    this.cards.forEach((card, k) => {
      card.classList.toggle("bpnb-dim", lit !== null && !lit.has(k));
      card.classList.toggle("bpnb-lit", k === index);
    });
    this.edges.forEach(({ line, head }, k) => {
      const { tail, head: to } = this.scene.edges[k];
      const dim = lit !== null && !(lit.has(tail) && lit.has(to));
      line.classList.toggle("bpnb-dim", dim);
      head.classList.toggle("bpnb-dim", dim);
    });
    for (const { span, nodes } of this.codeSpans) span.classList.toggle("bpnb-lit", index !== null && nodes.includes(index));
    for (const { line, node } of this.lines) line.classList.toggle("bpnb-lit", node === index);
  }

  // -- looking around --------------------------------------------------------

  place() {
    const { x, y, k } = this.view;
    this.world.style.transform = `translate(${x}px,${y}px) scale(${k})`;
  }

  /** Fit the graph into the width, but keep it readable; `whole` fits it at any size. */
  fit(whole = false) {
    const { width, height } = this.scene;
    const room = this.stage.clientWidth;
    if (!room) return;
    const margin = 16;
    const wanted = (room - 2 * margin) / width;
    const k = whole ? Math.min(wanted, 1.15) : clamp(wanted, SMALLEST, 1.15);
    const stageHeight = clamp(height * (whole ? clamp(wanted, SMALLEST, 1.15) : k) + 2 * margin + 30, 150, 470);
    this.stage.style.height = `${stageHeight}px`;
    this.view = { x: Math.max(margin, (room - width * k) / 2), y: Math.max(margin, (stageHeight - 30 - height * k) / 2), k, follow: !whole };
    this.place();
    this.show(this.state);
  }

  /** Move the picture just enough to show the current node and whatever it gives to. */
  show({ frame }) {
    if (!this.view.follow || frame.node === null) return;
    const boxes = [frame.node, ...frame.gifts.map((gift) => gift.parent)].map((i) => this.scene.nodes[i].box);
    const { k } = this.view;
    const left = Math.min(...boxes.map((box) => box[0]));
    const right = Math.max(...boxes.map((box) => box[0] + box[2]));
    const top = Math.min(...boxes.map((box) => box[1]));
    const bottom = Math.max(...boxes.map((box) => box[1] + box[3]));
    const room = this.stage.clientWidth;
    const roomBelow = this.stage.clientHeight;
    if (!room) return;
    // A picture that has room as a whole stays where it is.
    if (this.scene.width * k > room) {
      this.view.x += shiftToShow([this.view.x + left * k, this.view.x + right * k], [0, room], Math.min(48, room / 8));
    }
    if (this.scene.height * k > roomBelow) {
      this.view.y += shiftToShow([this.view.y + top * k, this.view.y + bottom * k], [0, roomBelow], 16);
    }
    this.place();
  }

  zoom(factor, atX = this.stage.clientWidth / 2, atY = this.stage.clientHeight / 2) {
    const k = clamp(this.view.k * factor, 0.1, 3);
    const ratio = k / this.view.k;
    this.view = { x: atX - (atX - this.view.x) * ratio, y: atY - (atY - this.view.y) * ratio, k, follow: this.view.follow };
    this.place();
  }

  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page keeps its own scrolling
    event.preventDefault();
    const { left, top } = this.stage.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY / 300), event.clientX - left, event.clientY - top);
  }

  onDrag(event) {
    if (event.button !== 0 || event.target.closest("button, .bpnb-card")) return;
    this.root.focus({ preventScroll: true }); // from here on the keys are ours
    const start = { x: event.clientX - this.view.x, y: event.clientY - this.view.y };
    const move = (next) => {
      this.view.x = next.clientX - start.x;
      this.view.y = next.clientY - start.y;
      this.place();
    };
    this.root.classList.add("bpnb-dragging");
    this.stage.setPointerCapture(event.pointerId);
    this.stage.addEventListener("pointermove", move);
    const stop = () => {
      this.stage.removeEventListener("pointermove", move);
      this.root.classList.remove("bpnb-dragging");
    };
    this.stage.addEventListener("pointerup", stop, { once: true });
    this.stage.addEventListener("pointercancel", stop, { once: true });
  }

  actions(event) {
    const onCard = event.target.classList.contains("bpnb-card");
    const card = this.cards.indexOf(event.target);
    const actions = super.actions(event);
    actions.Escape = () => this.select(null);
    if (onCard) actions.Enter = () => this.select(card);
    for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) {
      if (event.target.tagName !== "INPUT") actions[key] = () => this.walk(onCard ? card : (this.selected ?? this.state.frame.node ?? 0), key);
    }
    return actions;
  }

  walk(from, key) {
    const next = neighbour(this.scene, from, key);
    if (next === null) return;
    this.select(next);
    this.cards[next].focus({ preventScroll: true });
  }
}

function drawExplorer({ model, el }) {
  const explorer = new Explorer(model, el);
  return () => explorer.dispose();
}

// Named, so that page.mjs can follow in the same script.
const widget = { initialize: clock, render: drawExplorer };
export default widget;
