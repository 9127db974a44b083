// The map: where the canvas is in a graph that it doesn't show whole.

import { memo } from "react";
import { useReactFlow, useStore as useFlowStore, useViewport } from "@xyflow/react";
import { useNode, usePart } from "./use";
import type { Spot } from "./wire";

/** From so many cards on there is a map. */
const FROM = 8;
const WIDE = 142;
const HIGH = 48;

const Patch = memo(function Patch({ spot }: { spot: Spot }) {
  const node = useNode(spot.key);
  return <rect className={`m-${node.status}`} x={spot.x} y={spot.y} width={spot.width} height={spot.height} rx={10} />;
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
        {scene.cards.map((spot) => (
          <Patch key={spot.key} spot={spot} />
        ))}
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
