import { expect, it } from "vitest";
import { critical } from "./critical";
import type { NodeRecord, Route, Scene, Spot } from "./wire";

const spot = (key: string): Spot => ({ key, id: key, title: key, type: "", parent: null, icon: "", family: "", x: 0, y: 0, width: 1, height: 1, ports: [] });
const route = (source: string, target: string): Route => ({ edge: `${source}->${target}`, source, target, kind: "data", points: [], implied: false });
const node = (started: number, finished: number): NodeRecord => ({ status: "completed", look: "completed", text: "", started, finished });

it("walks back from the last end along what was waited for last", () => {
  const scene: Scene = {
    name: "", width: 0, height: 0, compact: false, icons: {}, boxes: [],
    cards: ["a", "b", "c", "d", "skipped"].map(spot),
    routes: [route("a", "b"), route("a", "c"), route("b", "d"), route("c", "d")],
  };
  const nodes = { a: node(0, 1), b: node(1, 2), c: node(1, 5), d: node(5, 6) };
  expect([...critical(scene, nodes)].sort()).toEqual(["a", "c", "d"]);
  expect(critical(scene, {}).size).toBe(0);
});
