// The chain of nodes that decided how long a run took: from the last that ended back to what each waited for last.

import type { NodeRecord, Scene } from "./wire";

export function critical(scene: Scene, nodes: Record<string, NodeRecord>): Set<string> {
  const before = new Map<string, string[]>();
  for (const route of scene.routes) {
    if (!route.implied) before.set(route.target, [...(before.get(route.target) ?? []), route.source]);
  }
  const outer = [...scene.cards, ...scene.boxes].filter((spot) => spot.parent === null).map((spot) => spot.key);
  const end = (key: string): number => {
    const node = nodes[key];
    return node?.started === undefined ? -1 : (node.finished ?? Infinity);
  };
  const latest = (keys: string[]): string | undefined => {
    let best: string | undefined;
    for (const key of keys) if (end(key) >= 0 && (best === undefined || end(key) > end(best))) best = key;
    return best;
  };
  const chain = new Set<string>();
  let at = latest(outer);
  while (at !== undefined && !chain.has(at)) {
    chain.add(at);
    at = latest(before.get(at) ?? []);
  }
  return chain;
}
