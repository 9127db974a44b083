// What a screen reader hears: the run's status when it changes, and the list of nodes in order as the canvas's text.

import { usePart } from "./use";
import { capital } from "./words";

const MOST_LINES = 200;

export function Spoken() {
  const bar = usePart("bar", (store) => store.bar);
  const nodes = usePart("nodes", (store) => store.nodes);
  const scene = usePart("scene", (store) => store.scene);
  return (
    <div className="fnb-spoken">
      <p aria-live="polite">
        {capital(bar.status)}
        {bar.status === "failed" && bar.error_node ? ` at ${bar.error_node}` : ""}
      </p>
      <ol aria-label="Nodes">
        {scene.cards.slice(0, MOST_LINES).map((spot) => (
          <li key={spot.key}>
            {spot.title}: {nodes[spot.key]?.text ?? "Pending"}
          </li>
        ))}
      </ol>
    </div>
  );
}
