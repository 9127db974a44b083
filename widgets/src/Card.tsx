// The card of a node: what it is, how it stands, how long it takes.

import { memo } from "react";
import { useNode, useNow, usePart, useStore } from "./use";
import type { Port, Spot } from "./wire";
import { duration } from "./words";
import { Icon } from "./Icon";

/** Beside a longer text the duration goes. */
const SHORT = 13;

const MARKS: Record<string, string> = { pinned: "pinned", transient: "" };

/** The colour class of a look: badges share the colour of the status that they stand for. */
export function tone(look: string, status: string): string {
  return look === "pinned" || look === "transient" || look === "stale" ? status : look;
}

export function PortDot({ port, off }: { port: Port; off?: boolean }) {
  const shape = { round: "", square: " sq", diamond: " di", hollow: " ho" }[port.shape];
  const type = PORT_TYPES[port.type] ?? "any";
  return (
    <i
      className={`fnb-port${shape}${off ? " off" : ""}`}
      style={{ left: port.x, top: port.y, ["--t" as string]: `var(--fnb-t-${type})` }}
      title={port.type === "any" ? port.name : `${port.name}: ${port.type}`}
    />
  );
}

const PORT_TYPES: Record<string, string> = {
  string: "string", number: "number", boolean: "boolean", object: "object", array: "array", dataframe: "table",
  image: "image", screenshot: "image", file: "file", ai: "ai", coordinates: "object", ocr_result: "object",
};

function Duration({ started, finished, running }: { started: number | undefined; finished: number | undefined; running: boolean }) {
  const now = useNow(running);
  if (started === undefined) return null;
  const seconds = (finished ?? now) - started;
  if (running && seconds < 0.1) return null;
  return <span className="dur">{duration(Math.max(0, seconds))}</span>;
}

/** The breakpoint, on the card's upper left corner: there when it is set, else while the card is pointed at. */
function Halt({ spot, on }: { spot: Spot; on: boolean }) {
  const store = useStore();
  const barred = usePart("bar", (each) => each.barred ?? (each.bar.finished !== null ? "The run has ended." : null));
  if (barred !== null && !on) return null;
  return (
    <span
      className={`fnb-halt${on ? " on" : ""}`}
      // For the pointer only: by keyboard it is B, and the node's panel has the same as a button.
      aria-hidden="true"
      data-breakpoint={spot.id}
      data-on={on}
      title={barred ?? (on ? "Breakpoint: the run halts before it. Click to remove it (B)" : "Halt before it (B)")}
      onClick={(event) => {
        event.stopPropagation();
        if (barred === null) store.ask({ ask: "breakpoint", node: spot.id, on: !on });
      }}
    />
  );
}

export const Card = memo(function Card({ spot }: { spot: Spot }) {
  const store = useStore();
  const node = useNode(spot.key);
  const picked = usePart("selected", (each) => each.selected === spot.key);
  const halts = usePart("bar", (each) => each.bar.breakpoints.includes(spot.id));
  const still = usePart("bar", (each) => each.still);
  const running = node.status === "running";
  const kind = tone(node.look, node.status);
  const stale = node.badges?.includes("stale") ? " is-stale" : "";
  return (
    <div
      className={`fnb-card is-${node.status}${stale}${picked ? " picked" : ""}${store.scene.compact ? " compact" : ""}`}
      style={{ width: spot.width, height: spot.height }}
      data-flownb-node={node.path ?? spot.id}
      data-status={node.status}
      role="button"
      tabIndex={0}
      aria-pressed={picked}
      aria-label={`${spot.title}, ${node.text}${halts ? ", breakpoint" : ""}`}
      title={`${spot.title}\n${node.text}`}
      onClick={() => store.select(spot.key)}
    >
      <span className="inner">
        <span className="fam" style={{ ["--fam" as string]: `var(--fnb-f-${spot.family})` }}>
          <Icon name={spot.icon} />
        </span>
        <span className="body">
          <span className="l1">
            <span className="ell">{spot.title}</span>
            <span className="marks">
              {node.attempts && (
                <span className="mark" title={`Attempt ${node.attempts.replace("/", " of ").replace("x", "")}`}>
                  <Icon name="retry" />
                  {node.attempts}
                </span>
              )}
              {node.badges?.map((badge) =>
                badge in MARKS ? (
                  <span className="mark" key={badge}>
                    {MARKS[badge] && <Icon name={MARKS[badge]} />}
                    {badge}
                  </span>
                ) : null,
              )}
            </span>
          </span>
          <span className="l2">
            <span className={`s-${kind}`}>
              <Icon name={node.look} small spin={running && node.look === "running" && !still} />
            </span>
            <span className={`txt ell s-${kind}`}>{node.text}</span>
            {(running || (node.text.length <= SHORT && node.status !== "waiting")) && (
              <Duration started={node.started} finished={node.finished} running={running && !still} />
            )}
          </span>
        </span>
        <span className={`only s-${kind}`}>
          <Icon name={node.look} small spin={running && !still} />
        </span>
      </span>
      {running && node.progress !== undefined && (
        <span className="prog">
          <i style={{ width: `${Math.round(node.progress * 100)}%` }} />
        </span>
      )}
      <Halt spot={spot} on={halts} />
      {spot.ports.map((port) => (
        <PortDot key={`${port.side} ${port.name}`} port={port} />
      ))}
    </div>
  );
});
