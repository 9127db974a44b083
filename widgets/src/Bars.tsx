// A very large graph seen from far: one drawing with a shape a status, in the place of thousands of cards and edges.

import { memo, useMemo } from "react";
import { usePart } from "./use";
import type { EdgeState, NodeRecord, Route, Scene, Spot } from "./wire";

/** Labels that are read from far. */
const MOST_NAMES = 12;

/** The outlines of spots by status: one path each. */
export function outlines(spots: Spot[], nodes: Record<string, NodeRecord>): [status: string, path: string][] {
  const found = new Map<string, string[]>();
  for (const spot of spots) {
    const status = nodes[spot.key]?.status ?? "pending";
    const parts = found.get(status) ?? [];
    found.set(status, parts);
    parts.push(`M${spot.x} ${spot.y}h${spot.width}v${spot.height}h${-spot.width}z`);
  }
  return [...found].map(([status, parts]) => [status, parts.join("")]);
}

/** The ways of edges by state, without corners: they are a pixel wide. */
export function ways(routes: Route[], edges: Record<string, EdgeState>): [state: string, path: string][] {
  const found = new Map<string, string[]>();
  for (const route of routes) {
    const state = edges[route.edge] ?? "open";
    const parts = found.get(state) ?? [];
    found.set(state, parts);
    parts.push(`M${route.points.map(([x, y]) => `${x} ${y}`).join("L")}`);
  }
  return [...found].map(([state, parts]) => [state, parts.join("")]);
}

export const Bars = memo(function Bars({ scene }: { scene: Scene }) {
  const nodes = usePart("nodes", (store) => store.nodes);
  const edges = usePart("edges", (store) => store.edges);
  const selected = usePart("selected", (store) => store.selected);
  const shapes = useMemo(() => outlines(scene.cards, nodes), [scene, nodes]);
  const lines = useMemo(() => ways(scene.routes, edges), [scene, edges]);
  const named = scene.cards.filter((spot) => spot.key === selected || nodes[spot.key]?.status === "failed").slice(0, MOST_NAMES);
  const picked = scene.cards.find((spot) => spot.key === selected);
  return (
    <svg className="fnb-bars" style={{ width: scene.width, height: scene.height }} aria-hidden="true">
      {lines.map(([state, path]) => (
        <path key={state} className={`way w-${state}`} d={path} />
      ))}
      {shapes.map(([status, path]) => (
        <path key={status} className={`m-${status}`} d={path} />
      ))}
      {picked && <rect className="seen" x={picked.x} y={picked.y} width={picked.width} height={picked.height} />}
      {named.map((spot) => (
        <text key={spot.key} x={spot.x} y={spot.y - 12}>
          {spot.title.slice(0, 40)}
        </text>
      ))}
    </svg>
  );
});
