// The canvas by keyboard: arrows walk the graph, E and arrows walk its edges, B halts, F fits, Escape goes back.

import type { KeyboardEvent } from "react";
import { useStore } from "./use";
import type { Store } from "./store";
import type { Route, Scene, Spot } from "./wire";

export function useKeys(scene: Scene, fitAll: () => void, reveal: (key: string) => void): (event: KeyboardEvent) => void {
  const store = useStore();
  return (event) => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      if (event.target instanceof HTMLButtonElement) return;
      (event.target as HTMLElement).click();
    } else if (event.key === "Escape") store.select(null);
    else if (event.key.toLowerCase() === "f") fitAll();
    else if (event.key.toLowerCase() === "b") halt(store, scene);
    else if (event.key.toLowerCase() === "e") {
      const first = edgeOf(scene, store.selected);
      if (first) store.selectEdge(first.edge);
    } else if (event.key.startsWith("Arrow")) walk(store, scene, event.key, reveal);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function halt(store: Store, scene: Scene): void {
  const spot = scene.cards.find((each) => each.key === store.selected);
  if (spot) store.ask({ ask: "breakpoint", node: spot.id, on: !store.bar.breakpoints.includes(spot.id) });
}

/** The first edge that leaves a card, else that enters it. */
export function edgeOf(scene: Scene, key: string | null): Route | undefined {
  return scene.routes.find((each) => each.source === key) ?? scene.routes.find((each) => each.target === key) ?? scene.routes[0];
}

function walk(store: Store, scene: Scene, arrow: string, reveal: (key: string) => void): void {
  const edge = scene.routes.find((each) => each.edge === store.edge);
  if (edge && (arrow === "ArrowUp" || arrow === "ArrowDown")) {
    store.selectEdge(sibling(scene, edge, arrow === "ArrowDown" ? 1 : -1).edge);
    return;
  }
  const from = store.selected;
  const next = edge
    ? arrow === "ArrowRight"
      ? edge.target
      : edge.source
    : from === null
      ? scene.cards[0]?.key
      : step(scene, from, arrow);
  if (next === undefined) return;
  store.select(next);
  reveal(next);
}

function step(scene: Scene, from: string, arrow: string): string | undefined {
  switch (arrow) {
    case "ArrowRight":
      return scene.routes.find((each) => each.source === from)?.target;
    case "ArrowLeft":
      return scene.routes.find((each) => each.target === from)?.source;
    default:
      return beside(scene, from, arrow === "ArrowDown" ? 1 : -1);
  }
}

/** The next edge that touches one of the same two cards. */
export function sibling(scene: Scene, edge: Route, way: 1 | -1): Route {
  const near = scene.routes.filter((each) => each.source === edge.source || each.target === edge.target);
  const at = near.indexOf(edge);
  return near[(at + way + near.length) % near.length] ?? edge;
}

/** The nearest card above or below in the same column, else anywhere. */
export function beside(scene: Scene, key: string, way: 1 | -1): string | undefined {
  const here = scene.cards.find((each) => each.key === key);
  if (!here) return scene.cards[0]?.key;
  const far = (each: Spot): number => Math.abs(each.y - here.y) + 4 * Math.abs(each.x - here.x);
  return scene.cards.filter((each) => (each.y - here.y) * way > 0).sort((a, b) => far(a) - far(b))[0]?.key;
}
