// Every edge of the graph in one drawing, behind the cards.

import { memo, useMemo } from "react";
import { useStore as useFlowStore } from "@xyflow/react";
import { useEdge, useNode, usePart, useStore } from "./use";
import type { Route, Scene } from "./wire";
import { headOf, pathOf } from "./path";

const CLASSES: Record<string, string> = { open: "", live: "done", moving: "live", dead: "dead" };

const Edge = memo(function Edge({ route }: { route: Route }) {
  const known = useEdge(route.edge);
  const source = useNode(route.source);
  const target = useNode(route.target);
  const store = useStore();
  const picked = usePart("selected", (each) => each.edge === route.edge);
  const beside = usePart("selected", (each) => each.selected === route.target || each.selected === route.source);
  const state = known ?? (route.implied ? implied(source.status, target.status) : "open");
  const kind = route.kind === "error" && state !== "dead" && state !== "open" ? "error" : (CLASSES[state] ?? "");
  const path = useMemo(() => pathOf(route.points), [route.points]);
  const head = useMemo(() => headOf(route.points), [route.points]);
  const near = picked ? " picked" : beside ? " near" : "";
  return (
    <g data-edge={route.edge} data-state={state}>
      <path className="fnb-grip" d={path} onClick={() => store.selectEdge(route.edge)}>
        <title>{`${route.source} → ${route.target}`}</title>
      </path>
      <path className={`fnb-edge ${kind}${near}`} d={path} />
      <path className={`fnb-head ${kind}${near}`} d={head} />
    </g>
  );
});

/** What a box hands to its body, and takes back, moves with the body. */
function implied(source: string, target: string): string {
  if (source === "skipped" || target === "skipped") return "dead";
  return source === "completed" || target === "completed" || target === "running" ? "live" : "open";
}

/** From so many edges on only those in sight are drawn; and so far beyond the frame, so that a short drag shows no gap. */
const VIRTUAL_FROM = 400;
const MARGIN = 400;

type Box = [left: number, top: number, right: number, bottom: number];

function around(points: [number, number][]): Box {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** What of the graph the frame shows, in steps: a drag within a step draws nothing anew. */
function useSight(on: boolean): string {
  return useFlowStore((state) => {
    if (!on) return "";
    const [x, y, zoom] = state.transform;
    const step = (value: number): number => Math.round(value / MARGIN) * MARGIN;
    return [-x / zoom, -y / zoom, (state.width - x) / zoom, (state.height - y) / zoom].map(step).join(" ");
  });
}

export function Edges({ scene }: { scene: Scene }) {
  const labels = useMemo(
    () =>
      [...scene.cards, ...scene.boxes].flatMap((spot) =>
        spot.ports
          .filter((port) => port.label)
          .map((port) => ({
            key: `${spot.key} ${port.name}`,
            text: port.label,
            x: spot.x + port.x + (port.side === "out" ? 8 : -8),
            y: spot.y + port.y + (port.y <= spot.height / 2 + 1 ? -5 : 12),
            anchor: port.side === "out" ? ("start" as const) : ("end" as const),
          })),
      ),
    [scene],
  );
  const boxes = useMemo(() => scene.routes.map((route) => around(route.points)), [scene]);
  const sight = useSight(scene.routes.length > VIRTUAL_FROM);
  const shown = useMemo(() => {
    if (!sight) return scene.routes;
    const [left = 0, top = 0, right = 0, bottom = 0] = sight.split(" ").map(Number);
    return scene.routes.filter((_, index) => {
      const box = boxes[index];
      return box && box[0] < right + MARGIN && box[2] > left - MARGIN && box[1] < bottom + MARGIN && box[3] > top - MARGIN;
    });
  }, [scene, boxes, sight]);
  return (
    <svg className="fnb-edges" style={{ width: scene.width, height: scene.height }} aria-hidden="true">
      {shown.map((route) => (
        <Edge key={route.edge} route={route} />
      ))}
      {labels.map((label) => (
        <text key={label.key} className="fnb-elabel" x={label.x} y={label.y} textAnchor={label.anchor}>
          {label.text}
        </text>
      ))}
    </svg>
  );
}
