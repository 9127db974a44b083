// The box around the body of a loop: its head says how many rounds there are and which one the cards show.

import { memo } from "react";
import { useNode, usePart, useStore } from "./use";
import type { Spot } from "./wire";
import { count } from "./words";
import { Icon } from "./Icon";
import { PortDot, tone } from "./Card";

export const Box = memo(function Box({ spot }: { spot: Spot }) {
  const store = useStore();
  const node = useNode(spot.key);
  const picked = usePart("selected", (each) => each.selected === spot.key);
  const rounds = node.rounds;
  const shown = rounds?.shown ?? null;
  const go = (index: number) => (event: React.MouseEvent) => {
    event.stopPropagation();
    store.ask({ ask: "round", node: spot.key, index });
  };
  const kind = tone(node.look, node.status);
  return (
    <div
      className={`fnb-group is-${node.status}${picked ? " picked" : ""}`}
      style={{ left: spot.x, top: spot.y, width: spot.width, height: spot.height }}
      data-flownb-node={node.path ?? spot.id}
      data-status={node.status}
      role="group"
      aria-label={`${spot.title}, loop, ${rounds ? `${rounds.done} of ${rounds.total} rounds done` : node.text}`}
    >
      <div className="head">
        <span className="what" role="button" tabIndex={0} aria-pressed={picked} onClick={() => store.select(spot.key)}>
        <Icon name={spot.icon} />
        <span className="ell">{spot.title}</span>
        <span className={`s-${kind}`} title={node.text}>
          <Icon name={node.look} small spin={node.status === "running"} />
        </span>
        {rounds && rounds.total > 0 && (
          <span className="sec num plain">
            {count(rounds.done)}/{count(rounds.total)}
          </span>
        )}
        {rounds && rounds.marks.length > 0 && (
          <span className="fnb-segs" aria-hidden="true">
            {rounds.marks.map((mark, index) => (
              <i key={index} className={mark} />
            ))}
          </span>
        )}
        </span>
        {rounds && shown !== null && rounds.total > 1 && (
          <span className="fnb-pager">
            <button type="button" aria-label="The round before" disabled={shown <= 0} onClick={go(shown - 1)}>
              <Icon name="left" />
            </button>
            <span className="num">
              {spot.title}[{shown}]
            </span>
            <button type="button" aria-label="The next round" disabled={shown >= rounds.total - 1} onClick={go(shown + 1)}>
              <Icon name="right" />
            </button>
          </span>
        )}
      </div>
      {spot.ports.map((port) => (
        <PortDot key={`${port.side} ${port.name}`} port={port} />
      ))}
    </div>
  );
});
