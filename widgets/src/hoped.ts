// When the nodes of a run that is at work are expected to end: as long as earlier runs took, one after what it waits for.

import type { Expected, NodeRecord, Scene, Spot } from "./wire";

export interface Hope {
  spot: Spot;
  from: number;
  to: number;
}

/** Of the nodes that have not ended and whose time is known; what waits for something unknown begins as early as it can. */
export function hoped(scene: Scene, nodes: Record<string, NodeRecord>, expected: Expected, start: number, now: number): Hope[] {
  const times = expected.nodes ?? {};
  if (Object.keys(times).length === 0) return [];
  const outer = [...scene.cards, ...scene.boxes].filter((spot) => spot.parent === null);
  const known = new Set(outer.map((spot) => spot.key));
  const before = new Map<string, string[]>();
  for (const route of scene.routes) {
    if (!route.implied && known.has(route.source)) before.set(route.target, [...(before.get(route.target) ?? []), route.source]);
  }
  const ends = new Map<string, number>();
  const end = (key: string, depth: number): number => {
    const found = ends.get(key);
    if (found !== undefined) return found;
    ends.set(key, now); // what would come back to itself
    const node = nodes[key];
    const time = times[key] ?? 0;
    const begins = node?.started ?? Math.max(now, ...(depth > 0 ? (before.get(key) ?? []).map((each) => end(each, depth - 1)) : []));
    const ended = node?.finished ?? (DONE.has(node?.status ?? "") ? now : Math.max(now, begins + time));
    ends.set(key, ended);
    return ended;
  };
  return outer.flatMap((spot) => {
    const node = nodes[spot.key];
    if (DONE.has(node?.status ?? "pending") || times[spot.key] === undefined) return [];
    const to = end(spot.key, 500);
    const from = node?.started !== undefined ? Math.max(node.started, now) : to - (times[spot.key] ?? 0);
    return to > from && to > start ? [{ spot, from, to }] : [];
  });
}

const DONE = new Set(["completed", "failed", "skipped", "cancelled"]);
