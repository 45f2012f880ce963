// A strip below a picture that is larger than its stage: all of it, how far the steps have come,
// and what of it is in sight.  For the eye and the mouse; the arrow keys walk from card to card.

import { html, svg } from "../view.mjs";

const STATES = ["idle", "forth", "back", "now"];

export class Overview {
  constructor(stage) {
    this.stage = stage;
    this.layers = STATES.map((state) => svg("path", { class: `bpnb-seen-${state}` }));
    this.frame = svg("rect", { class: "bpnb-in-sight", rx: 4 });
    this.picture = svg("svg", {}, ...this.layers, this.frame);
    const attributes = {
      class: "bpnb-overview",
      "aria-hidden": "true",
      title: "Where you are; press to go elsewhere",
      hidden: true,
      onpointerdown: (event) => this.onPress(event),
      onpointermove: (event) => event.buttons && this.go(event),
    };
    this.element = html("div", attributes, this.picture);
    this.build(stage.geometry);
  }

  build({ width, height, cards }) {
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.boxes = cards.map(({ box: [x, y, w, h] }) => `M${x} ${y}h${w}v${h}h${-w}z`);
  }

  /** Show how far the steps have come. */
  update() {
    if (this.element.hidden) return;
    const { state, current, geometry } = this.stage;
    const paths = STATES.map(() => []);
    geometry.cards.forEach(({ node }, k) => {
      const reached = node === null ? 0 : state.adjoint(node) ? 2 : Number(state.hasValue(node));
      paths[k === current ? 3 : reached].push(this.boxes[k]);
    });
    this.layers.forEach((layer, k) => {
      const d = paths[k].join("");
      if (layer.getAttribute("d") !== d) layer.setAttribute("d", d); // to read it takes long
    });
  }

  /** Show what is in sight. */
  move({ x, y, k, room: [width, height], isWhole }) {
    const wasHidden = this.element.hidden;
    this.element.hidden = isWhole;
    if (isWhole) return;
    const place = { x: -x / k, y: -y / k, width: width / k, height: height / k };
    for (const [name, value] of Object.entries(place)) this.frame.setAttribute(name, value);
    if (wasHidden && this.stage.state) this.update();
  }

  onPress(event) {
    this.element.setPointerCapture(event.pointerId);
    this.go(event);
  }

  go({ clientX, clientY }) {
    const to = this.picture.getScreenCTM().inverse();
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(to);
    this.stage.camera.centre([x, y]);
  }
}
