// How large the graph is drawn: the frame's height, the first view, and how much a card says at which size.

import type { Scene } from "./wire";

export const PAD = 24;
const MOST_HEIGHT = 640;
const LEAST_HEIGHT = 112;
/** Smaller than this nothing is read; the rest is a matter of scrolling and of the map. */
const LEAST_ZOOM = 0.42;
const NEARLY = 0.32;

export type Level = "full" | "mid" | "bar";

export function levelOf(zoom: number): Level {
  return zoom >= 0.75 ? "full" : zoom >= 0.4 ? "mid" : "bar";
}

/** The zoom at which the whole graph fits into a width: never above 1. */
function zoomFor(scene: Scene, width: number): number {
  return Math.min(1, (width - 2 * PAD) / Math.max(1, scene.width));
}

/** A graph that would just lose its names keeps them, and its last row is a drag away. */
function readable(zoom: number): number {
  return zoom < LEAST_ZOOM && zoom > NEARLY ? LEAST_ZOOM : zoom;
}

export function heightFor(scene: Scene, width: number): number {
  const wanted = scene.height * readable(Math.max(zoomFor(scene, width), 0.01)) + 2 * PAD;
  return Math.round(Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, wanted)));
}

/** The viewport that shows all of the graph in the middle. */
export function fit(scene: Scene, width: number, height: number): { x: number; y: number; zoom: number } {
  const whole = Math.min(zoomFor(scene, width), Math.max(0.01, (height - 2 * PAD) / Math.max(1, scene.height)));
  const zoom = readable(whole);
  return {
    x: Math.max(PAD, (width - scene.width * zoom) / 2),
    y: Math.max(PAD, (height - scene.height * zoom) / 2),
    zoom,
  };
}
