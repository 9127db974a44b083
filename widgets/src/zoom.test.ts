import { describe, expect, it } from "vitest";
import { fit, heightFor, levelOf } from "./zoom";
import type { Scene } from "./wire";

const scene = (width: number, height: number): Scene => ({ name: "", width, height, compact: false, icons: {}, cards: [], boxes: [], routes: [] });

describe("the first view", () => {
  it("never enlarges and is in the middle", () => {
    const view = fit(scene(220, 56), 1_000, 200);
    expect(view.zoom).toBe(1);
    expect(view.x).toBe(390);
  });
  it("shows a wide graph whole", () => {
    const wide = scene(2_000, 300);
    const view = fit(wide, 1_000, heightFor(wide, 1_000));
    expect(view.x + 2_000 * view.zoom).toBeLessThanOrEqual(1_000);
  });
  it("is never taller than a screen", () => {
    expect(heightFor(scene(1_000, 90_000), 1_000)).toBeLessThanOrEqual(640);
    expect(heightFor(scene(0, 0), 1_000)).toBeGreaterThan(100);
  });
  it("says less the smaller it is", () => {
    expect([1, 0.75, 0.5, 0.2].map(levelOf)).toEqual(["full", "full", "mid", "bar"]);
  });
});
