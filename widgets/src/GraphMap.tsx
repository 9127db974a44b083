// The map: where the canvas is in a graph that it doesn't show whole.

import { memo, useMemo } from "react";
import { useReactFlow, useStore as useFlowStore, useViewport } from "@xyflow/react";
import { usePart } from "./use";
import type { Scene } from "./wire";
import { outlines } from "./Bars";

/** From so many cards on there is a map. */
const FROM = 8;
const WIDE = 142;
const HIGH = 48;

/** All cards, a path a status: however many there are, the map is a few shapes. */
const Patches = memo(function Patches({ scene }: { scene: Scene }) {
  const nodes = usePart("nodes", (store) => store.nodes);
  return useMemo(() => outlines(scene.cards, nodes), [scene, nodes]).map(([status, path]) => (
    <path key={status} className={`m-${status}`} d={path} />
  ));
});

export function GraphMap({ zoom }: { zoom: number }) {
  const scene = usePart("scene", (store) => store.scene);
  const flow = useReactFlow();
  const viewport = useViewport();
  if (scene.cards.length < FROM) return null;
  const scale = Math.min((WIDE - 12) / scene.width, (HIGH - 12) / scene.height);
  const width = Math.max(48, Math.round(scene.width * scale) + 12);
  const height = Math.max(24, Math.round(scene.height * scale) + 12);
  const margin = 6 / scale;
  const go = (event: React.PointerEvent<SVGSVGElement>): void => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * (scene.width + 2 * margin) - margin;
    const y = ((event.clientY - box.top) / box.height) * (scene.height + 2 * margin) - margin;
    void flow.setCenter(x, y, { zoom });
  };
  return (
    <div className="fnb-map" style={{ width, height }} aria-hidden="true">
      <svg
        viewBox={`${-margin} ${-margin} ${scene.width + 2 * margin} ${scene.height + 2 * margin}`}
        onPointerDown={go}
        onPointerMove={go}
      >
        <Patches scene={scene} />
        <Seen viewport={viewport} />
      </svg>
    </div>
  );
}

/** The part of the graph that the canvas shows. */
function Seen({ viewport }: { viewport: { x: number; y: number; zoom: number } }) {
  const size = useCanvasSize();
  return (
    <rect
      className="seen"
      x={-viewport.x / viewport.zoom}
      y={-viewport.y / viewport.zoom}
      width={size.width / viewport.zoom}
      height={size.height / viewport.zoom}
    />
  );
}

function useCanvasSize(): { width: number; height: number } {
  const width = useFlowStore((state) => state.width);
  const height = useFlowStore((state) => state.height);
  return { width, height };
}
