// GraphExplorer.  First half: pure functions of a scene, tested without a page.
// Second half: the page.  A scene comes from Python once; stepping needs no kernel.

import { around, cardsOf, edgesNear, foldKey, foldedIn, meet, membersOf, nearestKnown, nextCard, passage, stepPast, turned } from "./folding.mjs";
import { sceneOf } from "./scene.mjs";
import {
  Replay,
  arrowHead,
  badge,
  barButton,
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
  panel,
  scrollInside,
  shiftToShow,
  svg,
} from "./view.mjs";
import { choose, cutAtNames, focusInside, lightLink, linkOf, linkTo, nodesOf, walkTrail, watchLinks } from "./links.mjs";
import { Quiz, stopBefore } from "./predict.mjs";

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
    .flatMap((frame) => frame.gifts.filter((gift) => gift.parent === node).map((gift) => ({ ...gift, from: frame.node })));
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

/**
 * Cut a block of source into pieces: one list of them for every line.  A piece knows
 * all nodes whose expression covers it, and those of the innermost expression, which
 * are several where a line is executed several times.
 */
export function pieces(lines, places) {
  return lines.map((line, number) => {
    const text = Array.from(line); // Python counts characters, not halves of them
    const indent = text.findIndex((character) => character.trim());
    const onLine = places
      .filter(({ start, end }) => start[0] <= number && number <= end[0])
      .map((place) => ({
        ...place,
        from: place.start[0] === number ? place.start[1] : Math.max(indent, 0),
        to: place.end[0] === number ? place.end[1] : text.length,
      }));
    const cuts = [...new Set([0, text.length, ...onLine.flatMap((p) => [p.from, p.to])])]
      .filter((cut) => cut <= text.length)
      .sort((a, b) => a - b);
    return cuts.slice(0, -1).map((from, index) => {
      const to = cuts[index + 1];
      const covering = onLine.filter((p) => p.from <= from && to <= p.to).sort(innerFirst);
      const inner = covering.filter((place) => innerFirst(place, covering[0]) === 0);
      const nodes = (all) => all.map((place) => place.node);
      return { text: text.slice(from, to).join(""), inner: nodes(inner), nodes: nodes(covering) };
    });
  });
}

/** Of expressions around one place, the innermost begins last; of those, it ends first. */
function innerFirst(a, b) {
  const order = ([line, column], [otherLine, otherColumn]) => line - otherLine || column - otherColumn;
  return order(b.start, a.start) || order(a.end, b.end);
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

/** What a screen reader says of a folded group at a step: how much is in it, and its result. */
export function groupWords(scene, index, state) {
  const { name, size, output } = scene.groups[index];
  const result = output === null ? "" : `; its result is ${nodeWords(scene, output, state)}`;
  return `${name}, ${size} nodes, folded${result}`;
}

/** The health marks of a node, from the moment when its value is known. */
export function marksAt(scene, index, state) {
  return state.values.has(index) ? (scene.nodes[index].marks ?? []) : [];
}

// ---------------------------------------------------------------------------
// Second half: the page
// ---------------------------------------------------------------------------

const INPUTS = 8; // so many inputs are shown at the start
const TERMS = 8; // so many contributions are shown one by one
const LINES = 150; // so many lines of code before and after the current one are in the page
const LINE = 18.75; // the height of a line in pixels, as in the style sheet
const HELD = 150; // a picture with more cards holds only those near the stage
const SMALLEST = 0.86; // below this scale the texts on the cards are too small to read

// A card is a button.  Its visible label is the name of its node; what else is on it is drawn
// by the style sheet, so that whoever speaks to the page need not say all the numbers.
const cardGrid = (tensor, family, what) =>
  grid(tensor, family, (index) => (tensor.fits ? { "data-text": tensor.short[index] } : {}), what);

class Explorer extends Replay {
  constructor(model, el) {
    super(model, el);
    this.scene = sceneOf(model);
    this.view = { x: 0, y: 0, k: 1, follow: true };
    this.room = [0, 0]; // width and height of the stage, which are slow to ask for
    this.known = new Map(); // geometries by what is folded in them: all that there is without a kernel
    for (const geometry of model.get("geometries") ?? []) this.learn(geometry);
    this.resize = new ResizeObserver(() => this.fit());
    this.build();
    this.listen("change:step", () => this.update());
    this.listen("change:selected", () => this.update());
    this.listen("change:playing", () => this.updatePlay());
    this.listen("change:predictions", () => this.updateQuiz());
    this.listen("change:predict", () => this.update());
    this.listen("change:scene", () => this.rebuild());
    this.listen("change:geometry", () => this.unfold());
  }

  dispose() {
    super.dispose();
    this.resize.disconnect();
  }

  rebuild() {
    this.scene = sceneOf(this.model);
    this.resize.disconnect();
    this.build();
  }

  get selected() {
    const name = this.model.get("selected");
    const index = name ? this.scene.nodes.findIndex((node) => node.name === name) : -1;
    return index < 0 ? null : index;
  }

  select(index) {
    this.set("selected", index === null ? "" : this.scene.nodes[index].name);
  }

  /** A step past a question reveals what it asked for. */
  go(step) {
    if (step > this.step) this.quiz.giveUp();
    super.go(step);
  }

  /** Whether what comes later must not be seen yet. */
  get veiled() {
    return this.quiz.mode !== "off";
  }

  // -- building -------------------------------------------------------------

  build() {
    this.arrange();
    this.quiz = new Quiz(this);
    this.stand(
      this.scene.alt,
      this.buildBar(),
      this.quiz.element,
      this.buildStage(),
      this.buildLegend(),
      this.buildPanels(),
      this.buildCost(),
    );
    watchLinks(this.root, (element) => this.light(element));
    this.update();
    this.updatePlay();
    this.resize.observe(this.stage);
  }

  buildBar() {
    const turn = this.scene.frames.findIndex((frame) => frame.phase === "seed");
    this.phase = html("strong", {});
    this.count = html("span", { class: "bpnb-count" });
    this.formulas = html("span", {
      class: "bpnb-formulas",
      role: "group",
      tabindex: 0,
      "data-trail": true,
      "aria-label": "Formula of this step. Arrow keys move over its terms.",
      onclick: (event) => this.pick(event),
    });
    this.passing = html("span", { class: "bpnb-passing" });
    this.title = html("div", { class: "bpnb-title" }, this.phase, this.count, this.passing, this.formulas);
    return html("div", { class: "bpnb-bar" }, ...this.buildReplay(turn), this.quiz.control, this.title);
  }

  /** Take in where things lie, and which card each node is on. */
  arrange() {
    this.geometry = this.model.get("geometry");
    this.learn(this.geometry);
    this.cardOf = cardsOf(this.scene, this.geometry);
  }

  learn(geometry) {
    this.known.set(JSON.stringify(geometry.folded), geometry);
  }

  buildStage() {
    this.world = html("div", { class: "bpnb-world" });
    this.turners = [];
    this.buildWorld();
    const all = (text, label, folded) => {
      const button = barButton(text, label, "", () => this.fold(folded));
      this.allTurners.push({ button, folded, title: label });
      return button;
    };
    this.allTurners = [];
    const groups = this.scene.groups;
    this.stage = html(
      "div",
      {
        class: "bpnb-stage",
        role: "group",
        "aria-label": "Computation graph. Arrow keys follow the edges.",
        onwheel: (event) => this.onWheel(event),
        onpointerdown: (event) => this.onDrag(event),
        onscroll: () => this.onScroll(),
        onfocusin: (event) => this.bringIn(event.target),
      },
      this.world,
      html(
        "div",
        { class: "bpnb-zoom" },
        ...(groups.length ? [all("fold all", "Fold all groups", groups.map(({ id }) => id)), all("open all", "Open all groups", [])] : []),
        barButton("+", "Zoom in", "", () => this.zoom(1.25)),
        barButton("\u2212", "Zoom out", "", () => this.zoom(0.8)),
        barButton("fit", "Fit the whole graph", "", () => this.fit(true)),
      ),
    );
    return this.stage;
  }

  /** The picture itself, from the geometry; a large one holds only what is near the stage. */
  buildWorld() {
    const { width, height, cards, edges, groups } = this.geometry;
    this.turners = [];
    this.edges = edges.map((edge) => {
      const line = svg("path", { class: "bpnb-edge bpnb-idle", d: curve(edge.path) });
      const head = svg("polygon", { class: "bpnb-head bpnb-idle", points: arrowHead(edge.path) });
      return { line, head, way: "idle-", box: around(edge.path) };
    });
    this.lines = svg(
      "svg",
      { width, height, "aria-hidden": "true" },
      ...groups.map(({ box: [x, y, w, h] }) => svg("rect", { class: "bpnb-group", x, y, width: w, height: h, rx: 10 })),
    );
    this.names = groups.map(({ group, box: [x, y, w] }) => {
      const name = html("span", { class: "bpnb-group-name", style: `left:${x + 4}px;top:${y}px;max-width:${w - 8}px` }, this.buildTurner(group, true));
      return { name, left: x, most: w - 90 };
    });
    this.cards = cards.map(() => null);
    this.held = new Set(); // the cards and edges in the page, `edge` counted from -1 down
    this.world.style.width = `${width}px`;
    this.world.style.height = `${height}px`;
    this.world.replaceChildren(this.lines, ...this.names.map(({ name }) => name));
    if (!this.isLarge) this.hold(cards.map((_, k) => k), edges.map((_, k) => k));
  }

  get isLarge() {
    return this.geometry.cards.length > HELD;
  }

  /** Put cards and edges into the page and take others out. */
  hold(cards, edges) {
    const wanted = new Set([...cards, ...edges.map((k) => -1 - k)]);
    for (const k of this.held) {
      if (wanted.has(k)) continue;
      if (k < 0) this.edges[-1 - k].line.remove(), this.edges[-1 - k].head.remove();
      else this.cards[k].remove(), (this.cards[k] = null);
      this.held.delete(k);
    }
    for (const k of wanted) {
      if (this.held.has(k)) continue;
      if (k < 0) this.lines.append(this.edges[-1 - k].line, this.edges[-1 - k].head);
      else this.world.append((this.cards[k] = this.buildAnyCard(k)));
      this.held.add(k);
    }
  }

  /** Of a large picture, hold what is near the stage, and whatever must be there for the keys. */
  holdVisible() {
    const [w, h] = this.room;
    if (!this.isLarge || !w || !this.state) return;
    const { x, y, k } = this.view;
    const near = [-(x + w / 2) / k, -(y + h / 2) / k, (2 * w) / k, (2 * h) / k];
    const cards = this.geometry.cards.flatMap(({ box }, index) => (meet(box, near) ? [index] : []));
    const edges = edgesNear(this.geometry.edges, this.edges, new Set(cards), near);
    const before = this.held.size;
    this.hold([...new Set([...cards, this.tabbable(), ...this.focusedCard()])], edges);
    if (before !== this.held.size || cards.some((card) => !this.cards[card].dataset.look)) this.updateCards(this.state);
    this.updateEdges(this.state);
  }

  focusedCard() {
    const card = this.cards.indexOf(document.activeElement?.closest?.(".bpnb-card") ?? undefined);
    return card < 0 ? [] : [card];
  }

  /** The name of a group as a button that folds it, or opens it. */
  buildTurner(group, open) {
    const { id, name } = this.scene.groups[group];
    const label = `${open ? "Fold" : "Open"} ${name}`;
    const button = html(
      "button",
      { type: "button", class: "bpnb-turner", "aria-expanded": String(open), "data-group": id, title: `${label} (f)`, onclick: () => this.turn(group) },
      html("i", { "aria-hidden": "true" }, open ? "\u25be" : "\u25b8"),
      html("span", {}, name),
    );
    this.turners.push({ button, group, title: `${label} (f)` });
    return button;
  }

  buildAnyCard(k) {
    const card = this.geometry.cards[k];
    return card.group === undefined ? this.buildCard(this.scene.nodes[card.node], card.node, card.box) : this.buildFolded(card);
  }

  buildCard(node, index, [left, top, width, height]) {
    return html(
      "div",
      {
        class: `bpnb-card bpnb-${node.kind}`,
        role: "button",
        tabindex: -1,
        "data-node": node.name,
        style: `left:${left}px;top:${top}px;width:${width}px;height:${height}px`,
        "data-link": linkTo([index]),
        onclick: () => this.select(index),
      },
      html("div", { class: "bpnb-card-top" }, html("span", { class: "bpnb-symbol", "data-text": node.text && node.text.length <= 8 ? node.text : node.symbol }), html("span", { class: "bpnb-name" }, ...nameParts(node.name)), ...this.buildMarks(node.marks ?? [], (_, k) => `m${index}.${k} v${index}`)),
      html("div", { class: "bpnb-slot", "data-link": `v${index}` }),
      html("div", { class: "bpnb-slot", "data-link": `a${index}` }),
    );
  }

  /** A folded group: its name is the button, the rest of the card shows its result. */
  buildFolded({ group, box: [left, top, width, height], marks = [] }) {
    const { id, name, size, output } = this.scene.groups[group];
    const result = output === null ? null : this.scene.nodes[output].name;
    return html(
      "div",
      {
        class: "bpnb-card bpnb-folded",
        role: "group",
        "data-group": id,
        style: `left:${left}px;top:${top}px;width:${width}px;height:${height}px`,
        "data-link": linkTo(membersOf(this.scene, group)),
        onclick: (event) => event.target.closest("button") ?? (output !== null && this.select(output)),
      },
      html("div", { class: "bpnb-card-top" }, this.buildTurner(group, false), ...this.buildMarks(marks, ({ nodes }) => nodes.map((node) => `v${node}`).join(" "))),
      html("div", { class: "bpnb-size" }, html("span", {}, `${size} nodes`), result === null ? null : html("span", { class: "bpnb-name" }, ...nameParts(result))),
      html("div", { class: "bpnb-slot", "data-link": output === null ? null : `v${output}` }),
      html("div", { class: "bpnb-slot", "data-link": output === null ? null : `a${output}` }),
    );
  }

  /** Health marks on a card: for the eye and the mouse; the card's label says them. */
  buildMarks(marks, linked) {
    return marks.map((mark, k) => {
      const { text, look, box: [x, y] } = mark;
      return html("span", { class: "bpnb-card-mark", title: text, "data-link": linked(mark, k), style: `left:${x}px;top:${y}px` }, badge(this.scene.marks[look]));
    }    );
  }

  buildLegend() {
    const scale = (family, text) =>
      html("span", { class: "bpnb-scale" }, html("i", { class: `bpnb-ramp bpnb-ramp-${family}` }), text);
    this.adjointScale = html("span", {});
    return html(
      "div",
      { class: "bpnb-legend" },
      scale("value", `value ${this.scene.legend.value}`),
      scale("adjoint", this.adjointScale),
      html("span", { class: "bpnb-scale" }, html("i", { class: "bpnb-empty" }), "not yet known"),
      html("span", { class: "bpnb-scale" }, html("i", { class: "bpnb-dashed" }), "constant, no adjoint"),
      ...(this.scene.marks ?? []).map((look) => html("span", { class: "bpnb-scale" }, badge(look), look.legend)),
    );
  }

  buildPanels() {
    this.numbers = panel("Numbers of one node. Arrow keys move over their names.", {
      class: "bpnb-numbers",
      "data-trail": true,
      onclick: (event) => this.pick(event),
    });
    this.codeSpans = [];
    this.marked = undefined;
    const blocks = this.scene.code.map((block, index) => this.buildCode(block, index));
    this.codeLines = this.scene.frames.flatMap((frame, step) =>
      frame.gifts.map((gift) => ({ step, node: gift.parent, text: gift.line, names: gift.names, line: null })),
    );
    const code = (title, children) =>
      panel(`${title}. Arrow keys move through it.`, { "data-trail": true }, html("h2", {}, title), html("pre", {}, ...children));
    return html(
      "div",
      { class: "bpnb-panels" },
      this.numbers,
      html(
        "div",
        { class: "bpnb-codes" },
        blocks.length ? code("your code", blocks) : null,
        this.codeLines.length ? this.buildLines(code("its backward pass, as NumPy", [])) : null,
      ),
    );
  }

  /** The lines of the backward pass; of thousands, those near the current one or the eye. */
  buildLines(section) {
    this.lineList = section.querySelector("pre");
    this.lineRange = [0, 0];
    section.addEventListener("scroll", () => this.holdLines(Math.round(section.scrollTop / LINE) + 7));
    this.holdLines(0);
    return section;
  }

  buildLine(entry) {
    const { node, step } = entry;
    entry.line = html("span", { class: "bpnb-line", "data-link": `a${node}`, onclick: () => this.go(step) });
    entry.hidden = null;
    this.showLine(entry);
    return entry.line;
  }

  /** A line to come would give a prediction away: only its left side is shown. */
  showLine(entry) {
    const { line, text, names, step } = entry;
    const hidden = this.veiled && step > this.step;
    if (hidden === entry.hidden) return;
    entry.hidden = hidden;
    line.replaceChildren(...(hidden ? [`${text.match(/^\S+ \S+/)[0]} \u2026`] : this.named(text, names)));
  }

  /** Have so many lines around one in the page, and as much white space as the others take. */
  holdLines(middle) {
    const count = this.codeLines.length;
    const all = count <= 2 * LINES;
    const [first, last] = all ? [0, count] : [clamp(middle - LINES, 0, count), clamp(middle + LINES, 0, count)];
    const [from, to] = this.lineRange;
    const enough = from <= Math.max(0, middle - LINES / 2) && Math.min(count, middle + LINES / 2) <= to;
    if (to > 0 && (all || enough)) return;
    this.lineRange = [first, last];
    this.codeLines.slice(from, to).forEach((entry) => (entry.line = null));
    this.lineList.style.paddingTop = `${first * LINE}px`;
    this.lineList.style.paddingBottom = `${(count - last) * LINE}px`;
    this.lineList.replaceChildren(...this.codeLines.slice(first, last).map((entry) => this.buildLine(entry)));
    this.markLines(first, last);
  }

  markLines(first, last) {
    for (const { line, step } of this.codeLines.slice(first, last)) {
      line?.classList.toggle("bpnb-now", step === this.step);
      line?.classList.toggle("bpnb-later", step > this.step);
    }
  }

  buildCode(block, index) {
    const places = this.scene.nodes.flatMap((node, n) =>
      node.code && node.code.block === index ? [{ node: n, ...node.code }] : [],
    );
    const seen = new Set(); // the arrow keys stop at an expression's first piece
    const piece = ({ text, inner, nodes }) => {
      const link = linkTo(inner);
      const stop = inner.length && !seen.has(link) ? { role: "button", tabindex: -1 } : {};
      seen.add(link);
      const span = html("span", inner.length ? { "data-link": link, ...stop } : {}, text);
      if (inner.length) this.codeSpans.push({ span, nodes: new Set(nodes) });
      return span;
    };
    return html(
      "span",
      { class: "bpnb-block", onclick: (event) => this.pick(event) },
      ...pieces(block.lines, places).map((line) => html("span", { class: "bpnb-line" }, ...line.map(piece))),
    );
  }

  /** What the gradient of this graph costs, backward and forward. */
  buildCost() {
    const { headline, bars, sentences, size } = this.scene.cost;
    const bar = ({ way, text, share }) => [
      html("span", {}, way),
      html("span", { class: "bpnb-cost-bar" }, html("i", { class: `bpnb-cost-${way}`, style: `width:${100 * share}%` })),
      html("span", {}, text),
    ];
    this.cost = html(
      "details",
      { class: "bpnb-cost" },
      html("summary", {}, headline),
      html("div", {}, html("div", { class: "bpnb-cost-bars" }, ...bars.flatMap(bar)), html("p", {}, sentences, html("small", {}, ` Here: ${size}.`))),
    );
    this.cost.room = null; // open where there is room for it, which only the page knows
    return this.cost;
  }

  /** A text whose names are linked to their nodes. */
  named(text, names) {
    return cutAtNames(text, names).map(([piece, link]) =>
      link ? html("span", { "data-link": link, role: "button", tabindex: -1 }, piece) : piece,
    );
  }

  // -- updating -------------------------------------------------------------

  update() {
    const { scene, step } = this;
    const state = (this.state = stateAt(scene, step));
    const focus = this.selected ?? state.frame.node;
    this.passed = passage(scene, this.geometry, this.cardOf, step);
    this.quiz.update();
    this.updateReplay([this.frameWords(state), this.quiz.words()].filter(Boolean).join(" "));
    if (this.quiz.question) this.pause();
    this.updateTitle(state);
    this.show(state);
    this.updateCards(state);
    this.updateEdges(state);
    this.updateCode(state, step);
    this.updateVeil();
    this.refill(this.numbers, focus === null ? this.describeStart() : this.describe(focus, state));
    this.light(this.linked?.isConnected ? this.linked : null);
  }

  /** After an answer or a hint: all but the question stays as it is. */
  updateQuiz() {
    this.quiz.update();
    this.markAsked();
    this.say(this.quiz.words());
  }

  /** Hide what would give a prediction away: the lines to come, and how large adjoints get. */
  updateVeil() {
    const known = !this.veiled || this.step === this.last;
    this.adjointScale.textContent = known ? `adjoint ${this.scene.legend.adjoint}` : "adjoint (scale at the end)";
    for (const entry of this.codeLines) if (entry.line) this.showLine(entry);
  }

  pause() {
    if (this.model.get("playing")) this.set("playing", false);
  }

  updatePlay() {
    super.updatePlay();
    if (this.quiz.question) this.pause(); // nothing plays past a question
  }

  /** Put new content into a part of the view, which keeps the focus if it has it. */
  refill(part, content) {
    const focused = focusInside(part);
    part.replaceChildren(...content);
    if (focused && focused !== part) part.focus({ preventScroll: true });
  }

  /** The words of a frame; where it is one of a folded group's, with the place in it. */
  frameWords({ frame }) {
    const progress = this.progress();
    return progress ? `${progress} ${frame.words}` : frame.words;
  }

  progress() {
    const [first, last] = this.passed;
    const card = this.state.frame.node === null ? null : this.geometry.cards[this.cardOf[this.state.frame.node]];
    if (!card || card.group === undefined) return "";
    return `${this.scene.groups[card.group].name}, ${this.step - first + 1} of ${last - first + 1}.`;
  }

  /** The card that Tab leads to. */
  tabbable() {
    return this.cardOf[this.selected ?? this.state.frame.node ?? 0];
  }

  updateTitle({ frame }) {
    const back = frame.phase === "seed" || frame.phase === "backward";
    this.phase.textContent = { start: "Start", forward: "Forward" }[frame.phase] ?? "Backward";
    this.phase.className = back ? "bpnb-back" : "bpnb-forth";
    this.count.textContent = `step ${this.step} of ${this.last}`;
    this.passing.textContent = this.progress().slice(0, -1);
    this.refill(this.formulas, this.formulasOf(frame));
    for (const term of this.formulas.querySelectorAll("[data-link]")) term.setAttribute("tabindex", "-1");
  }

  formulasOf({ phase, node: index, gifts }) {
    const node = this.scene.nodes[index];
    if (phase === "start") return ["the inputs are known, nothing is computed yet"];
    if (phase === "seed") return [html("span", { "data-link": `a${index}` }, `the adjoint of ${node.name} itself is 1`)];
    if (phase === "forward") return [html("span", {}, math(node.title), " = ", math(node.formula))];
    return gifts.map((gift) => html("span", {}, math(gift.formula)));
  }

  /** Bring the cards up to date, but touch only what is not as it should be. */
  updateCards(state) {
    const { frame } = state;
    const { cards } = this.geometry;
    const current = frame.node === null ? -1 : this.cardOf[frame.node];
    const gifts = this.scene.frames.slice(this.passed[0], this.step + 1).flatMap((each) => each.gifts);
    const receiving = new Set(gifts.map((gift) => this.cardOf[gift.parent]));
    const tabbable = this.tabbable();
    const selected = this.selected === null ? -1 : this.cardOf[this.selected];
    this.cards.forEach((card, k) => {
      if (!card) return;
      const { node, group, marks } = cards[k];
      const folded = group !== undefined;
      const index = folded ? this.scene.groups[group].output : node;
      const healthy = folded ? !(marks ?? []).some((mark) => mark.nodes.some((each) => state.values.has(each))) : !marksAt(this.scene, node, state).length;
      const part = folded && k === current && this.step < this.passed[1] ? `${this.step - this.passed[0] + 1} of ${this.passed[1] - this.passed[0] + 1}` : "";
      const known = index === null ? undefined : state.adjoints.get(index);
      const words = folded ? groupWords(this.scene, group, state) : nodeWords(this.scene, node, state);
      const look = [k === current && frame.phase, receiving.has(k) && k !== current, healthy, k === selected, k === tabbable, part, words].join("|");
      if (card.dataset.look === look) return;
      card.dataset.look = look;
      card.classList.toggle("bpnb-current", k === current);
      card.classList.toggle("bpnb-going-back", k === current && frame.phase !== "forward");
      card.classList.toggle("bpnb-receiving", receiving.has(k) && k !== current);
      card.classList.toggle("bpnb-healthy", healthy);
      card.classList.toggle("bpnb-focus", k === selected);
      card.setAttribute("aria-label", words);
      (folded ? card.querySelector("button") : card).tabIndex = k === tabbable ? 0 : -1;
      if (!folded) card.setAttribute("aria-pressed", k === selected ? "true" : "false");
      const [value, adjoint] = [...card.children].slice(-2);
      value.replaceChildren(...(index !== null && state.values.has(index) ? [cardGrid(this.scene.nodes[index].value, "value", "value")] : []));
      adjoint.replaceChildren(...(known ? this.adjointParts(known) : []), ...(part ? [html("span", { class: "bpnb-badge bpnb-part" }, part)] : []));
    });
    this.markAsked();
  }

  /** Mark on its card which entry is asked for, where its number will be. */
  markAsked() {
    const { question, mode } = this.quiz;
    for (const blank of this.world.querySelectorAll(".bpnb-unknown")) blank.remove();
    for (const cell of this.world.querySelectorAll(".bpnb-question")) cell.classList.remove("bpnb-question");
    this.cards.forEach((card, k) => card?.classList.toggle("bpnb-asked", question !== null && k === this.cardOf[question.node]));
    const card = question && this.cards[this.cardOf[question.node]];
    if (!card || card.classList.contains("bpnb-folded")) return;
    const slot = card.lastChild;
    const { rows, columns } = mode === "shape" ? { rows: 1, columns: 1 } : this.scene.nodes[question.node].value;
    const cells = Array.from({ length: rows * columns }, () => html("span", {}));
    const blank = html("div", { class: "bpnb-grid bpnb-unknown", style: `--columns:${columns}`, "aria-hidden": "true" }, ...cells);
    if (!slot.firstChild) slot.append(blank);
    slot.firstChild.children[mode === "shape" ? 0 : question.ask.entry].classList.add("bpnb-question");
  }

  adjointParts(known) {
    const parts = [cardGrid(known.value, "adjoint", "adjoint")];
    if (known.arrivals > 1) parts.push(html("span", { class: "bpnb-badge" }, `${known.arrival} of ${known.arrivals}`));
    return parts;
  }

  updateEdges({ spent }) {
    const moving = new Map();
    for (const frame of this.scene.frames.slice(this.passed[0], this.step + 1)) {
      for (const [edge, way] of movingEdges(this.scene, frame)) moving.set(edge, way);
    }
    this.geometry.edges.forEach(({ of, path }, index) => {
      const moves = of.find((edge) => moving.has(edge));
      const way = moves === undefined ? (of.some((edge) => spent.has(edge)) ? "spent" : "idle") : moving.get(moves);
      const shown = this.edges[index];
      if (shown.way === way) return;
      shown.way = way;
      const back = way === "backward" || way === "spent";
      shown.line.setAttribute("class", `bpnb-edge bpnb-${way}`);
      shown.head.setAttribute("class", `bpnb-head bpnb-${way}`);
      shown.head.setAttribute("points", arrowHead(back ? [...path].reverse() : path, moves === undefined ? 7 : 10));
    });
  }

  updateCode({ frame }, step) {
    const back = frame.phase !== "forward";
    const marked = this.codeSpans.filter(({ nodes }) => nodes.has(frame.node));
    for (const { span } of this.marked ?? []) span.classList.remove("bpnb-mark", "bpnb-mark-back");
    for (const { span } of marked) {
      span.classList.add("bpnb-mark");
      span.classList.toggle("bpnb-mark-back", back);
    }
    this.marked = marked;
    if (this.codeLines.length) {
      const now = this.codeLines.findIndex((entry) => entry.step === step);
      if (now >= 0) this.holdLines(now);
      this.markLines(...this.lineRange);
      if (now >= 0) scrollInside(this.codeLines[now].line);
    }
    if (marked.length) scrollInside(marked[0].span);
  }

  /** The panel before anything is computed: the values of the inputs, which are all that is known. */
  describeStart() {
    const inputs = this.scene.nodes.map((node, index) => ({ node, index })).filter(({ node }) => node.kind === "input");
    const more = inputs.length - INPUTS;
    return [
      html("h2", { class: "bpnb-node" }, "What is known at the start"),
      ...inputs.slice(0, INPUTS).map(({ node, index }) => labelled(node.name, html("span", { "data-link": `v${index}` }, big(node.value, "value", node.name)))),
      ...(more > 0 ? [html("p", {}, `and ${more} more inputs`)] : []),
    ];
  }

  /** The panel of one node: its numbers, what arrived, and what it hands on. */
  describe(index, state) {
    const node = this.scene.nodes[index];
    const output = this.scene.nodes[this.scene.output].name;
    const known = state.adjoints.get(index);
    const head = html("h2", { class: "bpnb-node" }, html("span", { class: "bpnb-name" }, ...nameParts(node.name)), html("code", {}, ...(node.text ? ["= ", ...this.named(node.text, node.names)] : [node.kind])), html("small", {}, node.value.shape));
    const place = node.code ? `line ${this.scene.code[node.code.block].first + node.code.start[0]}: ` : "";
    const source = node.source ? html("p", { class: "bpnb-source", "data-link": `v${index}` }, place, html("code", {}, node.source)) : null;
    const value = this.linkedTo(`v${index}`, "value", state.values.has(index) ? big(node.value, "value", "value") : html("em", {}, "not computed yet"));
    const partial = known && known.arrival < known.arrivals ? ` (${known.arrival} of ${known.arrivals} so far)` : "";
    const adjoint =
      node.kind === "constant"
        ? html("em", {}, "a constant has none")
        : known
          ? big(known.value, "adjoint", "adjoint")
          : html("em", {}, "not yet known");
    const marks = marksAt(this.scene, index, state).map(({ text, look }, k) =>
      html("p", { class: "bpnb-health", "data-link": `m${index}.${k}` }, badge(this.scene.marks[look]), html("span", {}, text)),
    );
    const parts = [head, source, ...marks, value, this.linkedTo(`a${index}`, `adjoint \u2202${output}/\u2202${node.name}${partial}`, adjoint)];
    const given = handedOn(this.scene, index, this.step);
    if (given.length) parts.push(html("h3", {}, "hands on"), ...given.map((gift) => this.product(gift, gift.parent)));
    const arrived = arrivals(this.scene, index, this.step);
    if (arrived.length) {
      parts.push(html("h3", {}, arrived[0].arrivals > 1 ? `receives ${arrived[0].arrivals} contributions, which add up` : "receives"));
      if (arrived.length > TERMS) parts.push(html("p", {}, `the last ${TERMS} of ${arrived.length} so far`));
      parts.push(...arrived.slice(-TERMS).map((gift) => this.product(gift, gift.from, "from ")));
      if (arrived.length > 1) parts.push(this.sum(index));
    }
    return parts.filter((part) => part !== null);
  }

  /** A row of the panel that is linked and can have the focus. */
  linkedTo(link, text, content) {
    const row = labelled(text, content);
    row.setAttribute("data-link", link);
    if (this.scene.nodes[nodesOf(link)[0]].kind !== "constant" || link[0] === "v") row.setAttribute("tabindex", "-1");
    return row;
  }

  /** One contribution: the rule as code, then factor by factor with numbers and shapes. */
  product(gift, other, preposition = "to ") {
    const target = `a${gift.parent}`;
    const result = gift.arrivals > 1 ? "contribution" : `d_${this.scene.nodes[gift.parent].name}`;
    const factor = (sign, { value, family, text, names }) =>
      html(
        "div",
        { class: "bpnb-factor" },
        sign ? operator(sign) : null,
        html(
          "div",
          { "data-link": linkOf(names) || null },
          big(value, family, text),
          html("small", {}, ...this.named(text, names), value.single ? "" : ` ${value.shape}`),
        ),
      );
    const row = html(
      "div",
      { class: "bpnb-product" },
      ...gift.factors.map((one, k) => factor(k ? gift.symbol : "", one)),
      factor(gift.factors.length ? "=" : "", { value: gift.value, family: "adjoint", text: result, names: [[0, result.length, target]] }),
    );
    const name = html("b", { class: "bpnb-name", "data-link": linkTo([other]) }, ...nameParts(this.scene.nodes[other].name));
    const line = html("p", {}, preposition, name, html("code", {}, ...this.named(gift.line, gift.names)));
    const sum = preposition === "to " && gift.arrival > 1 ? this.sum(gift.parent) : null;
    return html("div", { class: "bpnb-gift" }, ...[line, row, sum].filter((part) => part !== null));
  }

  /** What has reached a node so far, adding up. */
  sum(index) {
    const arrived = arrivals(this.scene, index, this.step);
    const { arrival, arrivals: all, sum } = arrived.at(-1);
    const late = arrived.slice(-TERMS);
    const terms = late.flatMap((gift) => [operator("+"), big(gift.value, "adjoint", "contribution")]);
    // What came before the last few stands there as its sum.
    const before = arrived.at(-TERMS - 1);
    terms.splice(0, 1, ...(before ? [big(before.sum, "adjoint", "sum of the earlier ones"), operator("+")] : []));
    const name = `d_${this.scene.nodes[index].name}`;
    const text = arrival < all ? `${name} so far, ${arrival} of ${all}` : `${name}, all ${all} added up`;
    return html("div", { class: "bpnb-product bpnb-sum", "data-link": `a${index}` }, html("small", {}, text), ...terms, operator("="), big(sum, "adjoint", text));
  }

  /** Light what is linked to an element, and the ancestors and descendants of its nodes. */
  light(element) {
    const link = element?.getAttribute("data-link") ?? null;
    if (!link && !this.linked) return;
    this.linked = element;
    const nodes = link ? nodesOf(link) : [];
    const lit = link && new Set(nodes.flatMap((node) => [...lineage(this.scene, node)]));
    const litCards = lit && new Set([...lit].map((node) => this.cardOf[node]));
    lightLink(this.root, link);
    this.cards.forEach((card, k) => card?.classList.toggle("bpnb-dim", lit !== null && !litCards.has(k)));
    for (const node of nodes) this.cards[this.cardOf[node]]?.classList.add("bpnb-lit");
    this.edges.forEach(({ line, head }, k) => {
      const { tail, head: to } = this.geometry.edges[k];
      const dim = lit !== null && !(litCards.has(tail) && litCards.has(to));
      line.classList.toggle("bpnb-dim", dim);
      head.classList.toggle("bpnb-dim", dim);
    });
  }

  /** Keep the numbers in view of what was clicked. */
  pick(event) {
    const link = event.target.closest("[data-link]")?.getAttribute("data-link");
    if (link) this.select(choose(nodesOf(link), this.selected, this.state.frame.node));
  }

  // -- folding ----------------------------------------------------------------

  /** A step passes all frames of a folded group; the slider goes to any one of them. */
  stepBy(way) {
    const to = stepPast(this.scene, this.geometry, this.cardOf, this.step, way);
    this.go(way > 0 ? this.quiz.stopBefore(to) : to);
  }

  turn(group) {
    this.anchor = group;
    this.fold(turned(this.scene.groups, this.model.get("folded"), this.scene.groups[group].id), group);
  }

  /** Fold just these groups.  Without a kernel only a geometry that is known can be shown. */
  fold(folded, group) {
    const found = this.found(folded, group);
    if (this.alone && !found) return;
    this.model.set("folded", found ? foldedIn(this.scene.groups, found) : folded);
    if (this.alone) this.model.set("geometry", found);
    this.model.save_changes();
  }

  /** Without a kernel: the known geometry for a wish, or the nearest with that group turned. */
  found(folded, group) {
    if (!this.alone) return null;
    const { groups } = this.scene;
    const exact = this.known.get(foldKey(groups, folded));
    return exact ?? (group === undefined ? null : nearestKnown(groups, [...this.known.values()], folded, group));
  }

  /** Show a new geometry; the group that was turned stays where it is, and keeps the focus. */
  unfold() {
    const group = this.anchor;
    const before = group === undefined ? null : this.boxOf(group);
    const focused = this.world.contains(document.activeElement);
    const { x, y, k } = this.view;
    this.arrange();
    this.buildWorld();
    this.anchor = undefined;
    this.fit();
    const after = group === undefined ? null : this.boxOf(group);
    if (before && after) {
      const { width, height } = this.geometry;
      const stay = (from, old, now, size, room) =>
        size * k <= room ? null : clamp(from + (old - now) * k, room - size * k - 16, 16);
      this.view.k = k;
      this.view.x = stay(x, before[0], after[0], width, this.stage.clientWidth) ?? this.view.x;
      this.view.y = stay(y, before[1], after[1], height, this.stage.clientHeight) ?? this.view.y;
      this.place();
    }
    this.update();
    this.updateFolding();
    if (focused) this.focusCard(group);
  }

  boxOf(group) {
    const { cards, groups } = this.geometry;
    return [...cards, ...groups].find((each) => each.group === group)?.box ?? null;
  }

  focusCard(group) {
    const turner = this.turners.find((each) => each.group === group && each.button.isConnected);
    const element = turner?.button ?? this.cards[this.tabbable()];
    const target = element.matches("button, [tabindex]") ? element : element.querySelector("button");
    target.focus({ preventScroll: true });
  }

  updateAlone() {
    super.updateAlone();
    this.updateFolding();
  }

  /** Without a kernel, a group can be turned only into a picture that is known. */
  updateFolding() {
    const { groups } = this.scene;
    const folded = this.model.get("folded");
    const enable = (button, title, wanted, group) => {
      const possible = !this.alone || this.found(wanted, group) !== null;
      const is = group === undefined && foldKey(groups, wanted) === foldKey(groups, folded);
      button.disabled = !possible || is;
      button.title = possible ? title : "needs a running notebook";
    };
    for (const { button, group, title } of this.turners) enable(button, title, turned(groups, folded, groups[group].id), group);
    for (const { button, folded: wanted, title } of this.allTurners) enable(button, title, wanted);
  }

  // -- looking around --------------------------------------------------------

  place() {
    const { x, y, k } = this.view;
    this.world.style.transform = `translate(${x}px,${y}px) scale(${k})`;
    // The name of a group that begins further left stays in sight.
    for (const { name, left, most } of this.names) {
      name.style.transform = `translateX(${clamp(-x / k - left, 0, Math.max(most, 0))}px)`;
    }
    this.holdVisible();
  }

  /** Fit the graph into the width, but keep it readable; `whole` fits it at any size. */
  fit(whole = false) {
    const { width, height } = this.geometry;
    const room = this.stage.clientWidth;
    if (!room) return;
    if (this.cost.room === null) this.cost.open = room > 760;
    this.cost.room = room;
    const margin = 16;
    const wanted = (room - 2 * margin) / width;
    const k = whole ? Math.min(wanted, 1.15) : clamp(wanted, SMALLEST, 1.15);
    const stageHeight = clamp(height * (whole ? clamp(wanted, SMALLEST, 1.15) : k) + 2 * margin + 30, 150, 470);
    this.stage.style.height = `${stageHeight}px`;
    this.room = [room, stageHeight - 2];
    this.view = { x: Math.max(margin, (room - width * k) / 2), y: Math.max(margin, (stageHeight - 30 - height * k) / 2), k, follow: !whole };
    this.place();
    this.show(this.state);
  }

  /** Move the picture just enough to show the current node and whatever it gives to. */
  show({ frame }) {
    if (!this.view.follow || frame.node === null) return;
    const nodes = [frame.node, ...frame.gifts.map((gift) => gift.parent)];
    this.bringBoxes(nodes.map((node) => this.geometry.cards[this.cardOf[node]].box));
  }

  bringBoxes(boxes) {
    const { k } = this.view;
    const left = Math.min(...boxes.map((box) => box[0]));
    const right = Math.max(...boxes.map((box) => box[0] + box[2]));
    const top = Math.min(...boxes.map((box) => box[1]));
    const bottom = Math.max(...boxes.map((box) => box[1] + box[3]));
    const [room, roomBelow] = this.room;
    if (!room) return;
    // A picture that has room as a whole stays where it is.
    if (this.geometry.width * k > room) {
      this.view.x += shiftToShow([this.view.x + left * k, this.view.x + right * k], [0, room], Math.min(48, room / 8));
    }
    if (this.geometry.height * k > roomBelow) {
      this.view.y += shiftToShow([this.view.y + top * k, this.view.y + bottom * k], [0, roomBelow], 16);
    }
    this.place();
  }

  /** The browser scrolls the stage to what has the focus; the picture moves instead. */
  onScroll() {
    if (this.stage.scrollLeft || this.stage.scrollTop) this.stage.scrollTo(0, 0);
  }

  /** Move the picture so that what has the focus is in sight. */
  bringIn(element) {
    const card = this.cards.indexOf(element.closest(".bpnb-card"));
    const name = this.turners.find(({ button }) => button === element);
    if (card >= 0) this.bringBoxes([this.geometry.cards[card].box]);
    else if (name) {
      const [x, y] = this.boxOf(name.group);
      this.bringBoxes([[x, y, element.offsetWidth + 8, 20]]);
    }
    this.onScroll();
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
    const card = this.cards.indexOf(event.target.closest(".bpnb-card"));
    const onCard = card >= 0;
    const actions = super.actions(event);
    actions.Escape = () => this.select(null);
    if (event.target.matches("select, input[type=text]")) return actions; // these keep their keys
    actions.f = () => this.turnAt(event.target, onCard ? card : this.tabbable());
    if (event.target.classList.contains("bpnb-card")) actions.Enter = () => this.select(this.geometry.cards[card].node);
    Object.assign(actions, this.quiz.actions(event));
    const trail = event.target.closest("[data-trail]");
    if (trail && event.target !== trail) actions.Enter = () => event.target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) {
      if (trail) actions[key] = () => this.walkAlong(trail, event.target, key);
      else if (event.target.tagName !== "INPUT") actions[key] = () => this.walk(onCard ? card : this.tabbable(), key);
    }
    return actions;
  }

  /** Move over the names of a panel, and say what they stand for. */
  walkAlong(trail, from, key) {
    const now = trail.querySelector(".bpnb-mark[tabindex], .bpnb-now [tabindex]");
    const stop = walkTrail(trail, from, key, now);
    if (!stop) return;
    if (stop.closest(".bpnb-panel")) scrollInside(stop);
    this.say(nodesOf(stop.getAttribute("data-link")).map((node) => nodeWords(this.scene, node, this.state)).join(". "));
  }

  /** Fold the group around a card, or open the folded one that it is. */
  turnAt(element, card) {
    const name = this.turners.find(({ button }) => button === element);
    const { node, group } = this.geometry.cards[card];
    const turned = name?.group ?? group ?? this.scene.nodes[node].group;
    if (turned !== null) this.turn(turned);
  }

  walk(from, key) {
    const next = nextCard(this.geometry, from, key);
    if (next === null) return;
    const { node, group } = this.geometry.cards[next];
    const index = node ?? this.scene.groups[group].output;
    if (index !== null) this.select(index);
    if (this.isLarge) this.bringBoxes([this.geometry.cards[next].box]);
    const target = group === undefined ? this.cards[next] : this.cards[next].querySelector("button");
    target.focus({ preventScroll: true });
  }
}

/** The step that comes next when the view plays by itself. */
function nextStep(model) {
  const scene = sceneOf(model);
  const geometry = model.get("geometry");
  const step = model.get("step");
  const to = stepPast(scene, geometry, cardsOf(scene, geometry), step, 1);
  return stopBefore(scene, step, to, model.get("predict"), model.get("predictions"));
}

function drawExplorer({ model, el }) {
  const explorer = new Explorer(model, el);
  return () => explorer.dispose();
}

// Named, so that page.mjs can follow in the same script.
const widget = { initialize: (context) => clock(context, { nextOf: nextStep }), render: drawExplorer };
export default widget;
