// Zoom, fit and find.

import { useMemo, useRef, useState } from "react";
import { useReactFlow } from "@xyflow/react";
import { usePart, useStore } from "./use";
import { remembered } from "./memory";
import { Icon } from "./Icon";

const MOST_HITS = 8;

export function Tools({ zoom }: { zoom: number }) {
  const flow = useReactFlow();
  const store = useStore();
  const [finding, setFinding] = useState(false);
  return (
    <div className="fnb-toolbox">
      <div className="fnb-tools" role="toolbar" aria-label="Zoom">
        <button type="button" className="fnb-btn icon" aria-label="Zoom out" title="Zoom out" onClick={() => void flow.zoomOut()}>
          <Icon name="minus" />
        </button>
        <span className="num">{Math.round(zoom * 100)} %</span>
        <button type="button" className="fnb-btn icon" aria-label="Zoom in" title="Zoom in" onClick={() => void flow.zoomIn()}>
          <Icon name="plus" />
        </button>
        <button type="button" className="fnb-btn icon" aria-label="Fit (F)" title="Fit (F)" onClick={() => remembered(store).fit()}>
          <Icon name="fit" />
        </button>
        <button
          type="button"
          className="fnb-btn icon"
          aria-label="Find a node"
          title="Find a node"
          aria-expanded={finding}
          onClick={() => setFinding(!finding)}
        >
          <Icon name="search" />
        </button>
      </div>
      {finding && <Find onReveal={(key) => remembered(store).reveal(key)} onClose={() => setFinding(false)} />}
    </div>
  );
}

function Find({ onReveal, onClose }: { onReveal: (key: string) => void; onClose: () => void }) {
  const store = useStore();
  const scene = usePart("scene", (each) => each.scene);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const hits = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const all = [...scene.cards, ...scene.boxes];
    if (!wanted) return [];
    return all
      .filter((spot) => `${spot.title} ${spot.id} ${spot.type} ${store.nodes[spot.key]?.status ?? ""}`.toLowerCase().includes(wanted))
      .slice(0, MOST_HITS);
  }, [text, scene, store]);
  const go = (key: string): void => {
    store.select(key);
    onReveal(key);
    onClose();
  };
  return (
    <div className="fnb-find">
      <input
        autoFocus
        type="search"
        className="fnb-in"
        placeholder="Name, type or status"
        aria-label="Find a node"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const hit = hits[at];
          if (event.key === "Escape") onClose();
          else if (event.key === "ArrowDown") setAt(Math.min(at + 1, hits.length - 1));
          else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
          else if (event.key === "Enter" && hit) go(hit.key);
          event.stopPropagation();
        }}
      />
      {text.trim() !== "" && (
        <ul ref={list} role="listbox" aria-label="Nodes found">
          {hits.map((spot, index) => (
            <li key={spot.key} role="option" aria-selected={index === at} onClick={() => go(spot.key)}>
              <Icon name={spot.icon} /> <span className="ell">{spot.title}</span>
              <span className="sec small">{store.nodes[spot.key]?.status ?? "pending"}</span>
            </li>
          ))}
          {hits.length === 0 && <li className="sec">No node has that in its name.</li>}
        </ul>
      )}
    </div>
  );
}
