// The picture of a graph: cards, edges and groups on a stage, folded and opened, brought up to
// date step by step.  A large picture holds only what is near to what one sees of it.

import { Camera } from "./camera.mjs";
import { around, cardsOf, edgesNear, foldKey, foldedIn, meet, membersOf, nearestKnown, nextCard, turned } from "./folding.mjs";
import { linkTo } from "./links.mjs";
import { groupWords, lineage, marksAt, movingEdges, nodeWords } from "./moments.mjs";
import { arrowHead, badge, barButton, clamp, curve, grid, html, nameParts, svg } from "../view.mjs";

const HELD = 150; // a picture with more cards holds only those near the stage
const AROUND = 0.3; // so much of the stage's width and height on each side is near to it

// A card is a button.  Its visible label is the name of its node; what else is on it is drawn
// by the style sheet, so that whoever speaks to the page need not say all the numbers.
const cardGrid = (tensor, family, what) =>
  grid(tensor, family, (index) => (tensor.fits ? { "data-text": tensor.short[index] } : {}), what);

/** Take what is not wanted out of the page, and put in what is. */
function exchange(held, wanted, enter, leave) {
  for (const k of [...held]) if (!wanted.has(k)) leave(k), held.delete(k);
  for (const k of wanted) if (!held.has(k)) held.add(k), enter(k);
}

export class Stage {
  constructor(view) {
    this.view = view;
    this.known = new Map(); // geometries by what is folded in them: all that there is without a kernel
    for (const geometry of this.model.get("geometries") ?? []) this.learn(geometry);
    this.arrange();
    this.world = html("div", { class: "bpnb-world" });
    this.buildWorld();
    this.element = html(
      "div",
      {
        class: "bpnb-stage",
        role: "group",
        "aria-label": "Computation graph. Arrow keys follow the edges.",
        onwheel: (event) => this.camera.onWheel(event),
        onpointerdown: (event) => this.onDrag(event),
        onscroll: () => this.onScroll(),
        onfocusin: (event) => this.bringIn(event.target),
      },
      this.world,
      this.buildButtons(),
    );
    this.camera = new Camera(this.element, this.world, () => this.onMove());
  }

  get model() {
    return this.view.model;
  }

  get scene() {
    return this.view.scene;
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

  // -- building -------------------------------------------------------------

  buildButtons() {
    const groups = this.scene.groups.map(({ id }) => id);
    const all = (text, title, folded) => ({ folded, title, button: barButton(text, title, "", () => this.fold(folded)) });
    this.allTurners = groups.length ? [all("fold all", "Fold all groups", groups), all("open all", "Open all groups", [])] : [];
    return html(
      "div",
      { class: "bpnb-zoom" },
      ...this.allTurners.map(({ button }) => button),
      barButton("+", "Zoom in", "", () => this.camera.zoom(1.25)),
      barButton("\u2212", "Zoom out", "", () => this.camera.zoom(0.8)),
      barButton("fit", "Fit the whole graph", "", () => this.fit(true)),
    );
  }

  /** The picture itself, from the geometry. */
  buildWorld() {
    const { width, height, cards, edges, groups } = this.geometry;
    this.turners = new Map(); // by group, the button that folds or opens it
    this.possible = new Map(); // and whether it can, which takes a while to find out
    this.edges = edges.map(({ path }) => ({ line: null, head: null, way: "", box: around(path) }));
    this.names = groups.map(() => null);
    this.cards = cards.map(() => null);
    this.held = { cards: new Set(), edges: new Set(), groups: new Set() };
    this.frames = svg("g", {});
    this.lines = svg("g", {});
    this.world.style.width = `${width}px`;
    this.world.style.height = `${height}px`;
    this.world.replaceChildren(svg("svg", { width, height, "aria-hidden": "true" }, this.frames, this.lines));
  }

  buildEdge(k) {
    const edge = this.edges[k];
    edge.line ??= svg("path", { d: curve(this.geometry.edges[k].path) });
    edge.head ??= svg("polygon", {});
    this.lines.append(edge.line, edge.head);
    if (this.state) this.lookEdge(k);
  }

  /** The border of an open group, and its name. */
  buildGroup(k) {
    const { group, box: [x, y, w, h] } = this.geometry.groups[k];
    const frame = svg("rect", { class: "bpnb-group", x, y, width: w, height: h, rx: 10 });
    const name = html("span", { class: "bpnb-group-name", style: `left:${x + 4}px;top:${y}px;max-width:${w - 8}px` }, this.buildTurner(group, true));
    this.names[k] = { frame, name, left: x, most: Math.max(w - 90, 0) };
    this.frames.append(frame);
    this.world.insertBefore(name, this.world.querySelector(".bpnb-card")); // Tab comes to it first
    this.placeName(k);
  }

  /** The name of a group that begins further left stays in sight. */
  placeName(k) {
    const { name, left, most } = this.names[k];
    name.style.transform = `translateX(${clamp(-this.camera.x / this.camera.k - left, 0, most)}px)`;
  }

  /** The name of a group as a button that folds it, or opens it. */
  buildTurner(group, open) {
    const { id, name } = this.scene.groups[group];
    const title = `${open ? "Fold" : "Open"} ${name} (f)`;
    const button = html(
      "button",
      { type: "button", class: "bpnb-turner", "aria-expanded": String(open), "data-group": id, title, onclick: () => this.turn(group) },
      html("i", { "aria-hidden": "true" }, open ? "\u25be" : "\u25b8"),
      html("span", {}, name),
    );
    this.turners.set(group, { button, title });
    this.enableTurner(group);
    return button;
  }

  buildCard(k) {
    const card = this.geometry.cards[k];
    this.cards[k] = card.group === undefined ? this.buildNode(card.node, card.box) : this.buildFolded(card);
    this.world.append(this.cards[k]);
    if (this.state) this.lookCard(k);
  }

  buildNode(index, box) {
    const node = this.scene.nodes[index];
    const symbol = node.text && node.text.length <= 8 ? node.text : node.symbol;
    return html(
      "div",
      { class: `bpnb-card bpnb-${node.kind}`, role: "button", tabindex: -1, "data-node": node.name, style: placed(box), "data-link": linkTo([index]), onclick: () => this.view.select(index) },
      html(
        "div",
        { class: "bpnb-card-top" },
        html("span", { class: "bpnb-symbol", "data-text": symbol }),
        html("span", { class: "bpnb-name" }, ...nameParts(node.name)),
        ...this.buildMarks(node.marks ?? [], (_, k) => `m${index}.${k} v${index}`),
      ),
      html("div", { class: "bpnb-slot", "data-link": `v${index}` }),
      html("div", { class: "bpnb-slot", "data-link": `a${index}` }),
    );
  }

  /** A folded group: its name is the button, the rest of the card shows its result. */
  buildFolded({ group, box, marks = [] }) {
    const { id, size, output } = this.scene.groups[group];
    const result = output === null ? null : html("span", { class: "bpnb-name" }, ...nameParts(this.scene.nodes[output].name));
    const slot = (letter) => html("div", { class: "bpnb-slot", "data-link": output === null ? null : `${letter}${output}` });
    return html(
      "div",
      {
        class: "bpnb-card bpnb-folded",
        role: "group",
        "data-group": id,
        style: placed(box),
        "data-link": linkTo(membersOf(this.scene, group)),
        onclick: (event) => event.target.closest("button") ?? (output !== null && this.view.select(output)),
      },
      html("div", { class: "bpnb-card-top" }, this.buildTurner(group, false), ...this.buildMarks(marks, ({ nodes }) => nodes.map((node) => `v${node}`).join(" "))),
      html("div", { class: "bpnb-size" }, html("span", {}, `${size} nodes`), result),
      slot("v"),
      slot("a"),
    );
  }

  /** Health marks on a card: for the eye and the mouse; the card's label says them. */
  buildMarks(marks, linked) {
    return marks.map((mark, k) => {
      const { text, look, box: [x, y] } = mark;
      return html("span", { class: "bpnb-card-mark", title: text, "data-link": linked(mark, k), style: `left:${x}px;top:${y}px` }, badge(this.scene.marks[look]));
    });
  }

  // -- what is in the page -----------------------------------------------------

  /** Hold what is near the stage, and whatever must be there for the keys; a small picture whole. */
  hold() {
    const { cards, edges, groups } = this.geometry;
    const [w, h] = this.camera.room;
    const large = cards.length > HELD;
    if (!this.state || (large && !w)) return;
    const { x, y, k } = this.camera;
    const near = [-(x + AROUND * w) / k, -(y + AROUND * h) / k, ((1 + 2 * AROUND) * w) / k, ((1 + 2 * AROUND) * h) / k];
    const all = (list) => list.map((_, index) => index);
    const close = (list) => all(list).filter((index) => meet(list[index].box, near));
    const wanted = new Set(large ? close(cards) : all(cards));
    const lines = new Set(large ? edgesNear(edges, this.edges, wanted, near) : all(edges));
    const open = new Set(large ? close(groups) : all(groups));
    if (large) for (const card of [this.tabbable(), this.focused()]) if (card >= 0) wanted.add(card);
    exchange(this.held.groups, open, (one) => this.buildGroup(one), (one) => (this.names[one].name.remove(), this.names[one].frame.remove()));
    exchange(this.held.cards, wanted, (one) => this.buildCard(one), (one) => (this.cards[one].remove(), (this.cards[one] = null)));
    exchange(this.held.edges, lines, (one) => this.buildEdge(one), (one) => (this.edges[one].line.remove(), this.edges[one].head.remove()));
  }

  /** The card that has the focus, or -1. */
  focused() {
    return this.cards.indexOf(document.activeElement?.closest?.(".bpnb-card") ?? undefined);
  }

  /** The card that Tab leads to. */
  tabbable() {
    return this.cardOf[this.view.selected ?? this.state.frame.node ?? 0];
  }

  // -- updating -------------------------------------------------------------

  /** Show a state; `passed` are the frames that were taken in one step to get there. */
  update(state, passed) {
    const { scene, view } = this;
    const frames = scene.frames.slice(passed[0], view.step + 1);
    const { node } = state.frame;
    Object.assign(this, { state, passed });
    this.current = node === null ? -1 : this.cardOf[node];
    this.selected = view.selected === null ? -1 : this.cardOf[view.selected];
    this.receiving = new Set(frames.flatMap(({ gifts }) => gifts.map((gift) => this.cardOf[gift.parent])));
    this.moving = new Map(frames.flatMap((frame) => [...movingEdges(scene, frame)]));
    this.show();
    this.hold();
    for (const k of this.held.cards) this.lookCard(k);
    for (const k of this.held.edges) this.lookEdge(k);
    this.markAsked();
  }

  /** Bring a card up to date, but touch only what is not as it should be. */
  lookCard(k) {
    const { scene, state, passed, current } = this;
    const card = this.cards[k];
    const { node, group, marks } = this.geometry.cards[k];
    const folded = group !== undefined;
    const index = folded ? scene.groups[group].output : node;
    const healthy = folded ? !(marks ?? []).some((mark) => mark.nodes.some(state.hasValue)) : !marksAt(scene, node, state).length;
    const { step } = this.view;
    const part = folded && k === current && step < passed[1] ? `${step - passed[0] + 1} of ${passed[1] - passed[0] + 1}` : "";
    const known = index === null ? null : state.adjoint(index);
    const words = folded ? groupWords(scene, group, state) : nodeWords(scene, node, state);
    const receives = this.receiving.has(k) && k !== current;
    const look = [k === current && state.frame.phase, receives, healthy, k === this.selected, k === this.tabbable(), part, words].join("|");
    if (card.dataset.look === look) return;
    card.dataset.look = look;
    card.classList.toggle("bpnb-current", k === current);
    card.classList.toggle("bpnb-going-back", k === current && state.frame.phase !== "forward");
    card.classList.toggle("bpnb-receiving", receives);
    card.classList.toggle("bpnb-healthy", healthy);
    card.classList.toggle("bpnb-focus", k === this.selected);
    card.setAttribute("aria-label", words);
    (folded ? card.querySelector("button") : card).tabIndex = k === this.tabbable() ? 0 : -1;
    if (!folded) card.setAttribute("aria-pressed", String(k === this.selected));
    if (card.dataset.words === words + part) return;
    card.dataset.words = words + part;
    const [value, adjoint] = [...card.children].slice(-2);
    value.replaceChildren(...(index !== null && state.hasValue(index) ? [cardGrid(scene.nodes[index].value, "value", "value")] : []));
    adjoint.replaceChildren(...(known ? [cardGrid(known.value, "adjoint", "adjoint")] : []));
    if (known && known.arrivals > 1) adjoint.append(html("span", { class: "bpnb-badge" }, `${known.arrival} of ${known.arrivals}`));
    if (part) adjoint.append(html("span", { class: "bpnb-badge bpnb-part" }, part));
  }

  lookEdge(k) {
    const { of, path } = this.geometry.edges[k];
    const moves = of.find((edge) => this.moving.has(edge));
    const way = moves === undefined ? (of.some(this.state.hasPassed) ? "spent" : "idle") : this.moving.get(moves);
    const shown = this.edges[k];
    if (shown.way === way) return;
    shown.way = way;
    const back = way === "backward" || way === "spent";
    shown.line.setAttribute("class", `bpnb-edge bpnb-${way}`);
    shown.head.setAttribute("class", `bpnb-head bpnb-${way}`);
    shown.head.setAttribute("points", arrowHead(back ? [...path].reverse() : path, moves === undefined ? 7 : 10));
  }

  /** Mark on its card which entry is asked for, where its number will be. */
  markAsked() {
    const { question, mode } = this.view.quiz;
    for (const blank of this.world.querySelectorAll(".bpnb-unknown")) blank.remove();
    for (const cell of this.world.querySelectorAll(".bpnb-question")) cell.classList.remove("bpnb-question");
    for (const k of this.held.cards) this.cards[k].classList.toggle("bpnb-asked", question !== null && k === this.cardOf[question.node]);
    const card = question && this.cards[this.cardOf[question.node]];
    if (!card || card.classList.contains("bpnb-folded")) return;
    const slot = card.lastChild;
    const { rows, columns } = mode === "shape" ? { rows: 1, columns: 1 } : this.scene.nodes[question.node].value;
    const cells = Array.from({ length: rows * columns }, () => html("span", {}));
    const blank = html("div", { class: "bpnb-grid bpnb-unknown", style: `--columns:${columns}`, "aria-hidden": "true" }, ...cells);
    if (!slot.firstChild) slot.append(blank);
    slot.firstChild.children[mode === "shape" ? 0 : question.ask.entry].classList.add("bpnb-question");
  }

  /** Light nodes, their ancestors and their descendants; null puts all out. */
  light(nodes) {
    const lit = nodes && new Set(nodes.flatMap((node) => [...lineage(this.scene, node)]).map((node) => this.cardOf[node]));
    for (const k of this.held.cards) this.cards[k].classList.toggle("bpnb-dim", lit !== null && !lit.has(k));
    for (const node of nodes ?? []) this.cards[this.cardOf[node]]?.classList.add("bpnb-lit");
    for (const k of this.held.edges) {
      const { tail, head } = this.geometry.edges[k];
      const dim = lit !== null && !(lit.has(tail) && lit.has(head));
      this.edges[k].line.classList.toggle("bpnb-dim", dim);
      this.edges[k].head.classList.toggle("bpnb-dim", dim);
    }
  }

  // -- folding ----------------------------------------------------------------

  turn(group) {
    this.anchor = group;
    this.fold(this.turnedOver(group), group);
  }

  turnedOver(group) {
    const { groups } = this.scene;
    return turned(groups, this.model.get("folded"), groups[group].id);
  }

  /** Fold just these groups.  Without a kernel only a geometry that is known can be shown. */
  fold(folded, group) {
    const found = this.found(folded, group);
    if (this.view.alone && !found) return;
    this.model.set("folded", found ? foldedIn(this.scene.groups, found) : folded);
    if (this.view.alone) this.model.set("geometry", found);
    this.model.save_changes();
  }

  /** Without a kernel: the known geometry for a wish, or the nearest with that group turned. */
  found(folded, group) {
    if (!this.view.alone) return null;
    const { groups } = this.scene;
    const exact = this.known.get(foldKey(groups, folded));
    return exact ?? (group === undefined ? null : nearestKnown(groups, [...this.known.values()], folded, group));
  }

  /** Show a new geometry; the group that was turned stays where it is, and keeps the focus. */
  unfold() {
    const group = this.anchor;
    const before = group === undefined ? null : this.boxOf(group);
    const hadFocus = this.world.contains(document.activeElement);
    const { x, y, k } = this.camera;
    this.anchor = this.state = undefined;
    this.arrange();
    this.buildWorld();
    this.camera.fit(this.geometry);
    const after = group === undefined ? null : this.boxOf(group);
    if (before && after) this.camera.keep({ x, y, k }, before, after, this.geometry);
    this.view.update();
    this.updateFolding();
    if (hadFocus) this.focusCard(group);
  }

  boxOf(group) {
    const { cards, groups } = this.geometry;
    return [...cards, ...groups].find((each) => each.group === group)?.box ?? null;
  }

  focusCard(group) {
    const { button } = this.turners.get(group) ?? {};
    const element = button?.isConnected ? button : this.cards[this.tabbable()];
    const target = element.matches("button, [tabindex]") ? element : element.querySelector("button");
    target.focus({ preventScroll: true });
  }

  /** Without a kernel, a group can be turned only into a picture that is known. */
  updateFolding() {
    const { groups } = this.scene;
    const now = foldKey(groups, this.model.get("folded"));
    this.possible.clear();
    for (const group of this.turners.keys()) this.enableTurner(group);
    for (const { button, folded, title } of this.allTurners) {
      this.enable(button, title, this.canFold(folded));
      button.disabled ||= foldKey(groups, folded) === now;
    }
  }

  enableTurner(group) {
    const { button, title } = this.turners.get(group);
    if (!this.possible.has(group)) this.possible.set(group, this.canFold(this.turnedOver(group), group));
    this.enable(button, title, this.possible.get(group));
  }

  canFold(folded, group) {
    return !this.view.alone || this.found(folded, group) !== null;
  }

  enable(button, title, possible) {
    button.disabled = !possible;
    button.title = possible ? title : "needs a running notebook";
  }

  /** Fold the group around a card, or open the folded one that it is. */
  turnAt(element, card) {
    const [named] = [...this.turners].find(([, { button }]) => button === element) ?? [];
    const { node, group } = this.geometry.cards[card];
    const wanted = named ?? group ?? this.scene.nodes[node].group;
    if (wanted !== null) this.turn(wanted);
  }

  // -- looking around --------------------------------------------------------

  onMove() {
    this.hold();
    for (const k of this.held.groups) this.placeName(k);
  }

  fit(whole) {
    this.camera.fit(this.geometry, whole);
    this.show();
  }

  /** Show the current node and whatever it gives to. */
  show() {
    const { node, gifts } = this.state.frame;
    if (!this.camera.follow || node === null) return;
    this.showCards([node, ...gifts.map((gift) => gift.parent)].map((each) => this.cardOf[each]));
  }

  showCards(cards) {
    this.camera.show(cards.map((card) => this.geometry.cards[card].box), this.geometry);
  }

  /** The browser scrolls the stage to what has the focus; the picture moves instead. */
  onScroll() {
    if (this.element.scrollLeft || this.element.scrollTop) this.element.scrollTo(0, 0);
  }

  /** Move the picture so that what has the focus is in sight. */
  bringIn(element) {
    const card = this.cards.indexOf(element.closest(".bpnb-card"));
    const [group] = [...this.turners].find(([, { button }]) => button === element) ?? [];
    if (card >= 0) this.showCards([card]);
    else if (group !== undefined) {
      const [x, y] = this.boxOf(group);
      this.camera.show([[x, y, element.offsetWidth + 8, 20]], this.geometry);
    }
    this.onScroll();
  }

  onDrag(event) {
    if (event.button !== 0 || event.target.closest("button, .bpnb-card")) return;
    this.view.root.focus({ preventScroll: true }); // from here on the keys are ours
    this.camera.onDrag(event, this.view.root);
  }

  /** Go where an arrow key leads. */
  walk(from, key) {
    const next = nextCard(this.geometry, from, key);
    if (next === null) return;
    const { node, group } = this.geometry.cards[next];
    const index = node ?? this.scene.groups[group].output;
    if (index !== null) this.view.select(index);
    if (!this.cards[next]) this.showCards([next]);
    const target = group === undefined ? this.cards[next] : this.cards[next].querySelector("button");
    target.focus({ preventScroll: true });
  }
}

const placed = ([left, top, width, height]) => `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
