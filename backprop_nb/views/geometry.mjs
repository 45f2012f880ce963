// Numbers and paths: pure functions.

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The index of the number that is nearest to a wanted one, the first one of two. */
export function nearest(numbers, wanted) {
  const distances = numbers.map((each) => Math.abs(each - wanted));
  return distances.indexOf(Math.min(...distances));
}

/** A list cut into runs of so many, of which the last may be shorter. */
export const runs = (list, size) =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, k) => list.slice(k * size, (k + 1) * size));

/** The `d` of an SVG path through the control points of a cubic Bézier curve. */
export function curve(points) {
  const [start, ...rest] = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
  return `M${start}C${rest.join(" ")}`;
}

/** The corners of an arrow head at the end of a path. */
export function arrowHead(points, size = 7) {
  const [x, y] = points[points.length - 1];
  const [fromX, fromY] = points[points.length - 2];
  const length = Math.hypot(x - fromX, y - fromY) || 1;
  const [dx, dy] = [(x - fromX) / length, (y - fromY) / length];
  const [baseX, baseY] = [x - dx * size, y - dy * size];
  const half = size * 0.55;
  return [[x, y], [baseX - dy * half, baseY + dx * half], [baseX + dy * half, baseY - dx * half]]
    .map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`)
    .join(" ");
}

/** How far to shift a picture so that a box is inside the frame, moving as little as possible. */
export function shiftToShow([low, high], [frameLow, frameHigh], margin) {
  if (low < frameLow + margin) return frameLow + margin - low;
  if (high > frameHigh - margin) return frameHigh - margin - high;
  return 0;
}

/** The `d` of an SVG path along straight lines through points of a square of a given size. */
export function lines(all, size, close = false) {
  const point = ([x, y]) => `${(x * size).toFixed(1)},${(y * size).toFixed(1)}`;
  return all.map((points) => `M${points.map(point).join("L")}${close ? "Z" : ""}`).join("");
}
