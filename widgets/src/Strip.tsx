// The bar under the canvas: zoom and find, the journal's slider, the map. It lies beside the graph and covers no card.

import { useViewport } from "@xyflow/react";
import { usePart } from "./use";
import { GraphMap } from "./GraphMap";
import { Journal } from "./Journal";
import { Tools } from "./Tools";

export function Strip() {
  const cards = usePart("scene", (store) => store.scene.cards.length + store.scene.boxes.length);
  const { zoom } = useViewport();
  return (
    <div className="fnb-time">
      {cards > 0 && <Tools zoom={zoom} />}
      <Journal />
      {cards > 0 && <GraphMap zoom={zoom} />}
    </div>
  );
}
