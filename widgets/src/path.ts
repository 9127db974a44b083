// The way of an edge: the layout's points, with round corners.

export type Point = [number, number];

const RADIUS = 8;
/** Between the tip of an arrowhead and the centre of its port, and the head's own length. */
const PORT = 5.5;
export const HEAD = 7;

/** The way as an SVG path that ends where its arrowhead begins. */
export function pathOf(points: Point[]): string {
  const last = points.at(-1);
  if (points.length < 2 || !last) return "";
  const way = points.slice();
  way[way.length - 1] = shortened(way.at(-2) as Point, last, PORT + HEAD - 1);
  const [first] = way as [Point, ...Point[]];
  let d = `M${first[0]} ${first[1]}`;
  for (let index = 1; index < way.length - 1; index += 1) {
    const [before, at, after] = [way[index - 1], way[index], way[index + 1]] as [Point, Point, Point];
    const radius = Math.min(RADIUS, length(before, at) / 2, length(at, after) / 2);
    const from = shortened(before, at, radius);
    const to = shortened(after, at, radius);
    d += `L${from[0]} ${from[1]}Q${at[0]} ${at[1]} ${to[0]} ${to[1]}`;
  }
  const end = way.at(-1) as Point;
  return `${d}L${end[0]} ${end[1]}`;
}

/** The arrowhead at the end of a way. */
export function headOf(points: Point[]): string {
  const last = points.at(-1);
  const before = points.at(-2);
  if (!last || !before) return "";
  const tip = shortened(before, last, PORT);
  const base = shortened(before, last, PORT + HEAD);
  const across: Point = [(tip[1] - base[1]) * 0.5, (base[0] - tip[0]) * 0.5];
  return `M${tip[0]} ${tip[1]}L${base[0] + across[0]} ${base[1] + across[1]}L${base[0] - across[0]} ${base[1] - across[1]}Z`;
}

function length(a: Point, b: Point): number {
  return Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);
}

/** The point that lies `by` before `to` on the straight line from `from`. */
function shortened(from: Point, to: Point, by: number): Point {
  const whole = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (whole === 0) return to;
  const share = Math.min(by, whole) / whole;
  return [round(to[0] - (to[0] - from[0]) * share), round(to[1] - (to[1] - from[1]) * share)];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
