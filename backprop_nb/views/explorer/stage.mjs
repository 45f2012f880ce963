// The picture of a graph: cards, edges and groups on a stage, folded and opened, brought up to
// date step by step.  Where things lie is ExplorerGeometry in schema.py.

import { Camera } from "./camera.mjs";
import { nextCard, turned } from "./folding.mjs";
import { Overview } from "./overview.mjs";
import { linkTo } from "./links.mjs";
import { cardWords, lineage, movingEdges, touchedNodes } from "./steps.mjs";
import {
  arrowHead,
  badge,
  barButton,
  clamp,
  curve,
  focusInside,
  grid,
  html,
  nameParts,
  rest,
  runs,
  svg,
} from "../view.mjs";

const LARGE = 300; // with more cards than these the picture does not glide: it would stutter
const TILE = 40; // so many edges, or cards, are laid out and painted together
const MANY = 40; // among more nodes than these one may search
const FAR = 0.6; // from so far away a card has room for its name alone, which is then larger
const AROUND = 24; // so far an arrow or a bend may reach beyond the points of its edge

// A card is a button.  Its visible label is the name of its node; what else is on it is drawn
// by the style sheet, so that whoever speaks to the page need not say all the numbers.
const cardGrid = (tensor, family) =>
  grid(tensor, family, (k) => (tensor.short.length ? { "data-text": tensor.short[k] } : {}), family);

export class Stage {
  constructor(view) {
    this.view = view;
    this.known = new Map(); // geometries by what is folded: all that there is without a kernel
    for (const { geometry } of this.states) this.learn(geometry);
    this.world = html("div", { class: "bpnb-world" });
    this.build();
    const stage = {
      class: "bpnb-stage",
      role: "group",
      "aria-label": "Computation graph. Arrow keys follow the edges.",
      onwheel: (event) => this.camera.onWheel(event),
      onpointerdown: (event) => this.onDrag(event),
      onmousedown: (event) => this.onPress(event),
      onscroll: () => this.onScroll(),
      onfocusin: (event) => this.bringIn(event.target),
    };
    this.overview = new Overview(this);
    this.element = html("div", stage, this.world, this.overview.element);
    this.buttons = this.buildButtons();
    this.camera = new Camera(this.element, this.world, () => this.onMove());
  }

  get model() {
    return this.view.model;
  }

  get scene() {
    return this.view.scene;
  }

  /** On a page of its own: what can be shown there. */
  get states() {
    return this.model.get("states") ?? [];
  }

  learn(geometry) {
    this.known.set(keyOf(geometry.folded), geometry);
  }

  // -- building -------------------------------------------------------------

  buildButtons() {
    const button = (text, title, onclick) => barButton(text, title, "", onclick);
    const groups = this.scene.groups.map(({ id }) => id);
    const label = "Find a card by its name or its code. Enter goes to the next.";
    const field = { type: "text", class: "bpnb-aside", placeholder: "find a card", title: label, "aria-label": label };
    this.field = this.scene.nodes.length > MANY ? html("input", field) : null;
    this.foldAll = button("fold all", "Fold all groups", () => this.fold(groups));
    this.openAll = button("open all", "Open all groups", () => this.fold([]));
    this.whole = button("fit", "Fit the whole graph", () => this.fit(this.camera.follow));
    return html(
      "div",
      { class: "bpnb-zoom" },
      this.field,
      ...(groups.length ? [this.foldAll, this.openAll] : []),
      button("+", "Zoom in", () => this.camera.zoom(1.25)),
      button("−", "Zoom out", () => this.camera.zoom(0.8)),
      this.whole,
    );
  }

  /** The picture itself, from the geometry. */
  build() {
    this.geometry = this.model.get("geometry");
    this.learn(this.geometry);
    const { width, height, cards, edges, groups } = this.geometry;
    this.turners = new Map(); // by group, the button that folds or opens it
    this.cards = cards.map((card, k) =>
      card.group === null ? this.buildNode(card) : this.buildFolded(card, k),
    );
    this.edges = edges.map(({ path }) => ({
      line: svg("path", { d: curve(path) }),
      head: svg("polygon", {}),
    }));
    const frames = groups.map(({ box: [x, y, w, h] }) =>
      svg("rect", { class: "bpnb-group", x, y, width: w, height: h, rx: 10 }),
    );
    const shapes = (some, style) => layer(style, some.flatMap((k) => Object.values(this.edges[k])));
    const lines = tiles(edges.map(({ path }) => path), shapes);
    this.names = groups.map((group) => this.buildName(group));
    const corners = (all) => all.map(({ box: [x, y, w, h] }) => [[x, y], [x + w, y + h]]);
    const batch = (all) => (some, style) => html("div", { class: "bpnb-batch", style }, ...some.map((k) => all[k]));
    const names = html("div", { class: "bpnb-names" }, ...tiles(corners(groups), batch(this.names)));
    this.into = cards.map(() => []); // the edges that end at a card
    edges.forEach(({ head }, k) => this.into[head].push(k));
    this.passed = null; // nothing is up to date
    this.late = new Set(); // what is to be drawn once it is in sight
    this.world.style.cssText = `width:${width}px;height:${height}px`;
    this.world.classList.toggle("bpnb-large", cards.length > LARGE);
    this.world.replaceChildren(layer("", frames), ...lines, names, ...tiles(corners(cards), batch(this.cards)));
    this.overview?.build(this.geometry);
  }

  /** The name of an open group. */
  buildName({ group, box: [x, y, width] }) {
    // From far away it may leave its group, but not as far as what is beside it.
    const { cards, groups } = this.geometry;
    const isNext = ({ box: [left, top] }) => left > x && Math.abs(top - y) < 40;
    const isBeside = ({ box: [left, top, , high] }) => left >= x + width && top < y + 24 && top + high > y - 24;
    const ends = [...groups.filter(isNext), ...cards.filter(isBeside)].map(({ box: [left] }) => left - x - 8);
    const room = Math.min(1e6, ...ends);
    const style = `left:${x + 4}px;top:${y}px;max-width:${width - 8}px;--room:${room}px`;
    return html("span", { class: "bpnb-group-name", style }, this.buildTurner(group, true));
  }

  /** Keep the name of a group in sight that begins further left; touch no other. */
  shiftNames(seen) {
    this.geometry.groups.forEach(({ box: [x, , width] }, k) => {
      const shift = clamp(seen - x, 0, Math.max(width - 90, 0));
      const name = this.names[k];
      if ((name.shift ?? 0) === shift) return;
      name.shift = shift;
      name.style.maxWidth = `${width - 8 - shift}px`; // or it covers the next name
      name.style.transform = shift ? `translateX(${shift}px)` : "";
    });
  }

  /** The name of a group as a button that folds it, or opens it. */
  buildTurner(group, open) {
    const { id, name, title } = this.scene.groups[group];
    const button = html(
      "button",
      {
        type: "button",
        class: "bpnb-turner",
        "aria-expanded": String(open),
        "data-group": id,
        title: `${open ? "Fold" : "Open"} ${name} (f)`,
        onclick: () => this.turn(group),
      },
      html("i", { "aria-hidden": "true" }, open ? "▾" : "▸"),
      html("span", {}, open ? name : title),
    );
    this.turners.set(group, button);
    return button;
  }

  /** The card of a node, which is filled when it is drawn for the first time. */
  buildNode({ node: index, box }) {
    const { name, kind, adjoint } = this.scene.nodes[index];
    const flat = adjoint === null ? " bpnb-flat" : "";
    return html("div", {
      class: `bpnb-card bpnb-${kind}${flat}`,
      role: "button",
      tabindex: -1,
      "data-node": name,
      style: placed(box),
      "data-link": linkTo([index]),
      onclick: () => this.view.select(index),
    });
  }

  fillNode(card, { node: index, marks }) {
    const { name, text, symbol } = this.scene.nodes[index];
    const short = text && text.length <= 8 ? text : symbol;
    const head = [
      html("span", { class: "bpnb-symbol", "data-text": short }),
      html("span", { class: "bpnb-name" }, ...nameParts(name)),
      ...marks.map((mark, k) => this.buildMark(mark, `m${index}.${k} v${index}`)),
    ];
    card.append(html("div", { class: "bpnb-card-top" }, ...head), slot(`v${index}`), slot(`a${index}`));
  }

  /** A folded group: its name is the button, the rest of the card shows its result. */
  buildFolded({ group, node, box, marks }, k) {
    const { id, below } = this.scene.groups[group];
    const members = this.geometry.card_of.flatMap((card, index) => (card === k ? [index] : []));
    const attributes = {
      class: "bpnb-card bpnb-folded",
      role: "group",
      "data-group": id,
      style: placed(box),
      "data-link": linkTo(members),
      onclick: ({ target }) => {
        if (node !== null && !target.closest("button")) this.view.select(node);
      },
    };
    const linked = (mark) => mark.nodes.map((each) => `v${each}`).join(" ");
    const badges = marks.map((mark) => this.buildMark(mark, linked(mark)));
    const result = node === null ? "" : nameParts(this.scene.nodes[node].name);
    return html(
      "div",
      attributes,
      html("div", { class: "bpnb-card-top" }, this.buildTurner(group, false), ...badges),
      html(
        "div",
        { class: "bpnb-size" },
        html("span", {}, below),
        html("span", { class: "bpnb-name" }, ...result),
      ),
      ...["v", "a"].map((kind) => slot(node === null ? null : kind + node)),
    );
  }

  /** A health mark on a card: for the eye and the mouse; the card's label says it. */
  buildMark({ text, style, box: [x, y] }, link) {
    const place = `left:${x}px;top:${y}px`;
    const attributes = { class: "bpnb-card-mark", title: text, "data-link": link, style: place };
    return html("span", attributes, badge(this.scene.marks[style]));
  }

  // -- updating -------------------------------------------------------------

  /** The card that Tab leads to. */
  tabbable() {
    return this.geometry.card_of[this.view.selected ?? this.state.frame.node ?? 0];
  }

  /** What of a card can have the focus. */
  stopOf(k) {
    const card = this.cards[k];
    return this.geometry.cards[k].group === null ? card : card.querySelector("button");
  }

  /** Show a state; `passed` are the frames that were taken in one step to get there. */
  update(state, passed) {
    const { scene, view } = this;
    const { card_of: cardOf } = this.geometry;
    const frames = scene.frames.slice(passed[0], view.step + 1);
    const { node } = state.frame;
    const special = () => [this.current, this.selected, this.stop];
    const touched = new Set(special());
    const walked = this.passed && touchedNodes(scene, [...this.passed, ...passed]);
    for (const each of walked ?? cardOf.keys()) touched.add(cardOf[each]);
    Object.assign(this, { state, passed });
    this.current = node === null ? -1 : cardOf[node];
    this.selected = view.selected === null ? -1 : cardOf[view.selected];
    this.stop = this.tabbable();
    for (const card of special()) touched.add(card);
    const given = frames.flatMap(({ contributions }) => contributions);
    this.receiving = new Set(given.map(({ parent }) => cardOf[parent]));
    this.moving = new Map(frames.flatMap((frame) => [...movingEdges(scene, frame)]));
    this.show();
    this.overview.update();
    for (const card of touched) {
      if (!this.cards[card]) continue;
      this.updateCard(card);
      for (const k of this.into[card]) this.updateEdge(k);
    }
    this.markAsked();
  }

  /** What is said of a card is up to date at once; of many, those out of sight are drawn when they come in. */
  updateCard(k) {
    const [card, place] = [this.cards[k], this.geometry.cards[k]];
    const said = this.knownOf(place).slice(0, 3).join();
    this.stopOf(k).tabIndex = k === this.stop ? 0 : -1;
    if (place.group === null) card.setAttribute("aria-pressed", String(k === this.selected));
    if (card.said !== said) card.setAttribute("aria-label", cardWords(this.scene, place, this.state));
    card.said = said;
    if (this.camera.isNear(place.box) || this.cards.length <= LARGE) this.drawCard(k);
    else this.late.add(k);
  }

  /** Whether the value of a card's node is there, how many contributions are, and what they make. */
  knownOf({ node }) {
    const known = node === null ? null : this.state.adjoint(node);
    return [node !== null && this.state.hasValue(node), known?.arrival, known?.total ?? null, known];
  }

  drawCard(k) {
    const { scene, state, view } = this;
    const [card, place] = [this.cards[k], this.geometry.cards[k]];
    const isNow = k === this.current;
    const classes = {
      current: isNow,
      "going-back": isNow && state.frame.phase !== "forward",
      receiving: this.receiving.has(k) && !isNow,
      healthy: !place.marks.some(({ nodes }) => nodes.some(state.hasValue)),
      focus: k === this.selected,
    };
    const [hasValue, arrival, total, known] = this.knownOf(place);
    const [first, last] = this.passed;
    const isUnderWay = place.group !== null && isNow && view.step < last;
    const part = isUnderWay ? `${view.step - first + 1} of ${last - first + 1}` : "";
    this.late.delete(k);
    if (!card.firstChild) this.fillNode(card, place);
    // Touch no more than what is not as it should be.
    for (const [name, holds] of Object.entries(classes)) card.classList.toggle(`bpnb-${name}`, holds);
    const content = [hasValue, arrival, total, part].join();
    if (card.content === content) return;
    card.content = content;
    const [value, adjoint] = [...card.children].slice(-2);
    const shown = (number, family) => cardGrid(scene.tensors[number], family);
    const count = (text, more = "") => html("span", { class: `bpnb-badge ${more}` }, text);
    value.replaceChildren(...(hasValue ? [shown(scene.nodes[place.node].value, "value")] : []));
    adjoint.replaceChildren(...(total === null ? [] : [shown(total, "adjoint")]));
    if (known?.arrivals > 1) adjoint.append(count(`${arrival} of ${known.arrivals}`));
    if (part) adjoint.append(count(part, "bpnb-part"));
  }

  updateEdge(k) {
    const { of, path } = this.geometry.edges[k];
    const edge = this.edges[k];
    const moves = of.find((each) => this.moving.has(each));
    const idle = of.some(this.state.hasPassed) ? "spent" : "idle";
    const way = moves === undefined ? idle : this.moving.get(moves);
    if (edge.way === way) return;
    edge.way = way;
    const points = way === "backward" || way === "spent" ? [...path].reverse() : path;
    edge.line.setAttribute("class", `bpnb-edge bpnb-${way}`);
    edge.head.setAttribute("class", `bpnb-head bpnb-${way}`);
    edge.head.setAttribute("points", arrowHead(points, moves === undefined ? 7 : 10));
  }

  /** Mark on its card which entry is asked for, where its number will be. */
  markAsked() {
    const { question, mode } = this.view.quiz;
    this.asked?.querySelector(".bpnb-unknown")?.remove();
    this.asked?.querySelector(".bpnb-question")?.classList.remove("bpnb-question");
    this.asked?.classList.remove("bpnb-asked");
    this.asked = null;
    if (!question) return;
    this.show();
    const k = this.geometry.card_of[question.node];
    const card = (this.asked = this.cards[k]);
    this.drawCard(k);
    card.classList.add("bpnb-asked");
    if (card.classList.contains("bpnb-folded")) return;
    const { value } = this.scene.nodes[question.node];
    const isShape = mode === "shape";
    const { rows, columns } = isShape ? { rows: 1, columns: 1 } : this.scene.tensors[value];
    const cells = Array.from({ length: rows * columns }, () => html("span", {}));
    const style = `--columns:${columns}`;
    const unknown = { class: "bpnb-grid bpnb-unknown", style, "aria-hidden": "true" };
    const blank = html("div", unknown, ...cells);
    const place = card.lastChild;
    if (!place.firstChild) place.append(blank);
    place.firstChild.children[isShape ? 0 : question.ask.entry].classList.add("bpnb-question");
  }

  /** Light nodes, their ancestors and their descendants; null puts all out. */
  light(nodes) {
    const { card_of: cardOf, edges } = this.geometry;
    const near = nodes?.flatMap((node) => [...lineage(this.scene, node)]);
    const lit = near && new Set(near.map((node) => cardOf[node]));
    const dim = (element, isDim) => element.classList.toggle("bpnb-dim", Boolean(lit) && isDim);
    this.cards.forEach((card, k) => dim(card, !lit?.has(k)));
    for (const node of nodes ?? []) this.cards[cardOf[node]].classList.add("bpnb-lit");
    edges.forEach(({ tail, head }, k) => {
      const isDim = !(lit?.has(tail) && lit.has(head));
      dim(this.edges[k].line, isDim);
      dim(this.edges[k].head, isDim);
    });
  }

  // -- folding ----------------------------------------------------------------

  turn(group) {
    this.anchor = group;
    this.fold(this.turnedOver(group), group);
  }

  turnedOver(group) {
    const { groups } = this.scene;
    return turned(groups, this.geometry.folded, groups[group].id);
  }

  /** Fold just these groups.  Without a kernel only a geometry that is known can be shown. */
  fold(folded, group) {
    const found = this.view.offline ? this.found(folded, group) : null;
    if (this.view.offline && !found) return;
    this.model.set("folded", found?.folded ?? folded);
    if (found) this.model.set("geometry", found);
    this.model.save_changes();
  }

  /** The known geometry for a wish, or the nearest one in which that group is turned over. */
  found(folded, group) {
    const exact = this.known.get(keyOf(folded));
    if (exact || group === undefined) return exact;
    const key = keyOf(this.geometry.folded);
    const now = this.states.find(({ geometry }) => keyOf(geometry.folded) === key);
    return this.states[now?.turned[this.scene.groups[group].id]]?.geometry;
  }

  /** Show a new geometry; the group that was turned stays where it is, and keeps the focus. */
  unfold() {
    const group = this.anchor;
    const before = this.boxOf(group);
    const hadFocus = focusInside(this.world) !== null;
    const { x, y, k } = this.camera;
    this.anchor = undefined;
    this.build();
    this.camera.fit(this.geometry);
    const after = this.boxOf(group);
    if (before && after && this.camera.follow) this.camera.keep({ x, y, k }, before, after, this.geometry);
    this.view.update();
    this.updateFolding();
    const target = this.turners.get(group) ?? this.stopOf(this.tabbable());
    if (hadFocus) target.focus({ preventScroll: true });
  }

  boxOf(group) {
    const { cards, groups } = this.geometry;
    return [...cards, ...groups].find((each) => each.group === group)?.box ?? null;
  }

  /** Without a kernel, a group can be turned only into a picture that is known. */
  updateFolding() {
    const { cards, groups } = this.geometry;
    const enable = (button, folded, group, isDone = false) => {
      button.does ??= button.title;
      const isPossible = !this.view.offline || Boolean(this.found(folded, group));
      rest(button, isDone || !isPossible);
      button.title = isPossible ? button.does : "needs a running notebook";
    };
    for (const [group, button] of this.turners) enable(button, this.turnedOver(group), group);
    enable(this.foldAll, this.scene.groups.map(({ id }) => id), undefined, !groups.length);
    enable(this.openAll, [], undefined, cards.every(({ group }) => group === null));
  }

  /** The group that a button turns over, if it is one of these. */
  turnedBy(element) {
    return [...this.turners.keys()].find((group) => this.turners.get(group) === element);
  }

  /** Fold the group around a card, or open the folded one that it is. */
  turnAt(element, card) {
    const { node, group } = this.geometry.cards[card];
    const wanted = this.turnedBy(element) ?? group ?? this.scene.nodes[node].group;
    if (wanted !== null) this.turn(wanted);
  }

  // -- looking around --------------------------------------------------------

  /** Keep the next node of that name, or whose code has the words, and bring its card in. */
  find(words) {
    const { view, field } = this;
    const { nodes } = this.scene;
    const wanted = words.trim();
    const every = [...nodes.keys()];
    const named = every.filter((k) => nodes[k].name === wanted);
    const found = named.length ? named : every.filter((k) => [nodes[k].name, nodes[k].text, nodes[k].source].some((each) => each.includes(wanted)));
    field.setAttribute("aria-invalid", String(!found.length));
    if (!found.length) return view.say(`No card has ${wanted}.`);
    const node = found.find((k) => k > (view.selected ?? -1)) ?? found[0];
    view.select(node);
    this.showCards([this.geometry.card_of[node]]);
  }

  onMove() {
    const { x, k } = this.camera;
    this.shiftNames(-x / k);
    this.world.classList.toggle("bpnb-far", k < FAR);
    if (k < FAR) this.world.style.setProperty("--far", (1 / k).toFixed(2));
    this.overview.move(this.camera);
    this.whole.setAttribute("aria-pressed", String(!this.camera.follow));
    for (const k of this.late) if (this.camera.isNear(this.geometry.cards[k].box)) this.drawCard(k);
  }

  fit(whole) {
    this.camera.fit(this.geometry, whole);
    this.show();
  }

  /** Show what is asked for, the current node and what it gives to, or has from near by; first the inputs. */
  show() {
    const { node, phase, contributions } = this.state.frame;
    if (!this.camera.follow) return;
    const { card_of: cardOf, cards, edges } = this.geometry;
    if (node === null) return this.showCards(this.inputs);
    const now = cardOf[node];
    const before = edges.filter(({ head }) => phase === "forward" && head === now);
    const near = before.filter(({ tail }) => this.camera.reaches(cards[now].box, cards[tail].box));
    const given = contributions.map(({ parent }) => cardOf[parent]);
    const asked = cardOf[this.view.quiz.question?.node] ?? now;
    this.showCards([asked, now, ...near.map(({ tail }) => tail), ...given]);
  }

  /** The cards of all inputs. */
  get inputs() {
    const { card_of: cardOf } = this.geometry;
    return this.scene.nodes.flatMap(({ kind }, k) => (kind === "input" ? [cardOf[k]] : []));
  }

  showCards(cards) {
    this.camera.show(cards.map((card) => this.geometry.cards[card].box), this.geometry);
  }

  /** The browser scrolls the stage to what has the focus; the picture moves instead. */
  onScroll() {
    if (this.element.scrollLeft || this.element.scrollTop) this.element.scrollTo(0, 0);
  }

  /** Move the picture so that what has the focus is in sight; not from under the pointer. */
  bringIn(element) {
    if (!element.matches(":focus-visible")) return this.onScroll();
    const card = this.cards.indexOf(element.closest(".bpnb-card"));
    const group = this.turnedBy(element);
    if (card >= 0) this.showCards([card]);
    else if (group !== undefined) {
      const [x, y] = this.boxOf(group);
      this.camera.show([[x, y, element.offsetWidth + 8, 20]], this.geometry);
    }
    this.onScroll();
  }

  onDrag(event) {
    if (event.button !== 0 || event.target.closest("button, .bpnb-card, .bpnb-overview")) return;
    this.view.root.focus({ preventScroll: true }); // from here on the keys are ours
    this.camera.onDrag(event, this.view.root);
  }

  /** A press selects no text, wherever the pointer is dragged; the focus goes where it would. */
  onPress(event) {
    if (event.target.closest("button")) return;
    event.preventDefault();
    event.target.closest(".bpnb-card")?.focus({ preventScroll: true });
  }

  /** Go where an arrow key leads. */
  walk(from, key) {
    const next = nextCard(this.geometry, from, key);
    if (next === null) return;
    const { node } = this.geometry.cards[next];
    if (node !== null) this.view.select(node, true);
    this.showCards([next]);
    this.stopOf(next).focus({ preventScroll: true });
  }
}

const keyOf = (folded) => JSON.stringify(folded);

const placed = ([left, top, width, height]) =>
  `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;

/** What lies in the picture and is drawn as SVG. */
const layer = (style, shapes) => svg("svg", { style, "aria-hidden": "true" }, ...shapes);

/**
 * Edges or cards, by their points, in tiles that have room for all that is in them: a change in one is
 * laid out and painted with its tile alone.  `fill` makes what is in a tile, from its numbers and place.
 * No `content-visibility`: a screen reader knows of a button only if its box is; but what is on it may
 * come late.
 */
function tiles(drawn, fill) {
  return runs([...drawn.keys()], TILE).map((some) => {
    const points = some.flatMap((k) => drawn[k]);
    const end = (choose, more) => [0, 1].map((at) => Math.floor(choose(...points.map((one) => one[at]))) + more);
    const [left, top] = end(Math.min, -AROUND);
    const [right, low] = end(Math.max, AROUND);
    const content = fill(some, `left:${-left}px;top:${-top}px`);
    return html("div", { class: "bpnb-tile", style: placed([left, top, right - left, low - top]) }, content);
  });
}

/** Where the value or the adjoint of a card will be. */
const slot = (link) => html("div", { class: "bpnb-slot", "data-link": link });
