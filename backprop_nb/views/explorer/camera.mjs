// Where one looks at a large picture: it is moved and scaled inside of a stage.

import { clamp, drag, shiftToShow } from "../view.mjs";

const MARGIN = 16;
const ABOVE = 12; // and below
const NEAR = 200; // of the stage counts as near, in pixels
const STRIP = 36; // the height of the overview, for which the stage grows
// The largest share of the window that a picture takes, and what it leaves to the rest, for the numbers
// of a step below it; the largest scale; that at which the texts on the cards are easy to read; and that
// at which they still are, if it shows all of the picture.
const DESK = { share: 0.36, rest: 486, largest: 1.15, smallest: 0.86, fitting: 0.7 };
const LECTURE = { share: 0.5, rest: 388, largest: 1.9, smallest: 1.42, fitting: 1.42 }; // from the last row

/** The scale at which a picture fits into a room, or, unless it must as a whole, can be read. */
export function scaleToFit({ width, height }, [across, down], whole, { largest, smallest, fitting } = DESK) {
  const wide = (across - 2 * MARGIN) / width;
  const wanted = Math.min(wide, (down - 2 * ABOVE) / height, largest);
  return whole || wanted >= fitting ? wanted : smallest;
}

export class Camera {
  /** `moved` is called after each move, with `x`, `y`, the scale `k` and the `room` up to date. */
  constructor(stage, world, moved) {
    Object.assign(this, { stage, world, moved, x: 0, y: 0, k: 1 });
    this.follow = true; // whether it moves along with the steps
    this.room = [0, 0]; // width and height of the stage, which are slow to ask for
    this.size = [0, 0]; // those of the picture
  }

  place() {
    this.world.style.transform = `translate(${this.x}px,${this.y}px) scale(${this.k})`;
    this.moved();
  }

  /** Fit a picture into the stage, but keep it readable; `whole` fits it at any size, from then on. */
  fit({ width, height }, whole = !this.follow) {
    const room = this.stage.clientWidth;
    if (!room) return;
    const read = this.stage.closest?.(".bpnb-presenting") ? LECTURE : DESK;
    const { innerHeight } = window;
    const below = clamp(Math.min(read.share * innerHeight, innerHeight - read.rest), 220, 470);
    const k = scaleToFit({ width, height }, [room, below], whole, read);
    const tall = clamp(height * Math.max(k, read.fitting) + 2 * ABOVE, 120, below);
    const first = !this.room[0];
    this.size = [width, height];
    this.room = [room, tall - 2];
    this.follow = !whole;
    this.k = k;
    this.stage.style.height = `${tall + (this.isWhole ? 0 : STRIP)}px`;
    const free = this.size.map((size, at) => this.room[at] - size * k);
    [this.x, this.y] = free.map((each) => (each < 0 ? MARGIN : each / 2));
    if (first) this.world.style.transition = "none"; // a view begins where it belongs
    this.place();
    if (!first) return;
    this.world.getBoundingClientRect(); // so that the browser has it there
    this.world.style.transition = "";
  }

  /** After a picture has changed, keep a box in it where it was, unless there is room for all. */
  keep({ x, y, k }, before, after, { width, height }) {
    const stay = (now, from, at, size, room) => {
      const moved = from + (before[at] - after[at]) * k;
      return size * k <= room ? now : clamp(moved, room - size * k - MARGIN, MARGIN);
    };
    this.k = k;
    this.x = stay(this.x, x, 0, width, this.room[0]);
    this.y = stay(this.y, y, 1, height, this.room[1]);
    this.place();
  }

  /** Move the picture just enough to show boxes in it, the first ones if not all; a whole one stays. */
  show(boxes, { width, height }) {
    const [room, below] = this.room;
    if (!room) return;
    const shift = (some, at, from, size, there, margin) => {
      if (size * this.k <= there) return 0;
      const low = from + Math.min(...some.map((box) => box[at])) * this.k;
      const high = from + Math.max(...some.map((box) => box[at] + box[at + 2])) * this.k;
      const all = !some[1] || high - low <= there - 2 * margin;
      if (!all) return shift(some.slice(0, -1), at, from, size, there, margin);
      return shiftToShow([low, high], [0, there], margin);
    };
    const right = shift(boxes, 0, this.x, width, room, Math.min(48, room / 8));
    const down = shift(boxes, 1, this.y, height, below, 16);
    if (!right && !down) return;
    this.x += right;
    this.y += down;
    this.place();
  }

  zoom(factor, atX = this.stage.clientWidth / 2, atY = this.stage.clientHeight / 2) {
    const k = clamp(this.k * factor, 0.1, 3);
    const ratio = k / this.k;
    this.follow = true;
    this.x = atX - (atX - this.x) * ratio;
    this.y = atY - (atY - this.y) * ratio;
    this.k = k;
    this.place();
  }

  /** Whether two boxes can be seen together, with most of the stage left for others. */
  reaches(one, other) {
    return [0, 1].every((at) => {
      const size = Math.max(one[at] + one[at + 2], other[at] + other[at + 2]) - Math.min(one[at], other[at]);
      return size * this.k <= this.room[at] * (at ? 0.9 : 0.4);
    });
  }

  /** Whether a box is in sight, or so near that it soon may be. */
  isNear(box) {
    const from = [this.x, this.y];
    return [0, 1].every((at) => {
      const low = from[at] + box[at] * this.k;
      return low + box[at + 2] * this.k > -NEAR && low < this.room[at] + NEAR;
    });
  }

  /** Whether all of the picture is in sight. */
  get isWhole() {
    return this.size.every((size, at) => size * this.k <= this.room[at]);
  }

  /** Have a point of the picture in the middle, as far as there is picture on all sides. */
  centre(point) {
    const place = (at) => {
      const [room, size] = [this.room[at], this.size[at] * this.k];
      if (size <= room) return (room - size) / 2;
      return clamp(room / 2 - point[at] * this.k, room - size - MARGIN, MARGIN);
    };
    [this.x, this.y] = [place(0), place(1)];
    this.place();
  }

  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page keeps its own scrolling
    event.preventDefault();
    const { left, top } = this.stage.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY / 300), event.clientX - left, event.clientY - top);
  }

  /** Move the picture with the pointer; `root` is told meanwhile. */
  onDrag(event, root) {
    const [x, y] = [event.clientX - this.x, event.clientY - this.y];
    const move = ({ clientX, clientY }) => {
      [this.x, this.y] = [clientX - x, clientY - y];
      this.place();
    };
    root.classList.add("bpnb-dragging");
    drag(event, this.stage, move, () => root.classList.remove("bpnb-dragging"));
  }
}
