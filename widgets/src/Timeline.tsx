// When each node was at work; underlined is the chain that decided how long the run took.

import { useMemo } from "react";
import { useNow, usePart, useStore } from "./use";
import type { NodeRecord, Spot } from "./wire";
import { duration } from "./words";
import { critical } from "./critical";
import { hoped } from "./hoped";

const ROW = 26;
const TOP = 24;
const MOST_ROWS = 200;
const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

interface Row {
  spot: Spot;
  node: NodeRecord;
}

export function Timeline() {
  const store = useStore();
  const nodes = usePart("nodes", (each) => each.nodes);
  const bar = usePart("bar", (each) => each.bar);
  const gone = usePart("bar", (each) => each.gone);
  const still = usePart("bar", (each) => each.still);
  const scene = usePart("scene", (each) => each.scene);
  const picked = usePart("selected", (each) => each.selected);
  const expected = usePart("bar", (each) => each.expected);
  const now = useNow(bar.finished === null && bar.started !== null && !still);
  const rows = useMemo<Row[]>(() => {
    const all = [...scene.boxes, ...scene.cards].flatMap((spot) => {
      const node = nodes[spot.key];
      return node?.started !== undefined ? [{ spot, node }] : [];
    });
    return all.sort((a, b) => (a.node.started ?? 0) - (b.node.started ?? 0)).slice(0, MOST_ROWS);
  }, [nodes, scene]);
  const chain = useMemo(() => critical(scene, nodes), [scene, nodes]);
  if (rows.length === 0) return <p className="sec fnb-said">Nothing has started.</p>;
  const start = Math.min(bar.started ?? Infinity, rows[0]?.node.started ?? Infinity);
  const ended = Math.max(...rows.map(({ node }) => node.finished ?? 0));
  const end = bar.finished ?? (gone ? ended : Math.max(now, ended));
  const hopes = bar.finished === null && !still ? hoped(scene, nodes, expected, start, end) : [];
  const span = Math.max(Math.max(end, ...hopes.map((each) => each.to)) - start, 0.000_5);
  const ghosts = new Map(hopes.map((each) => [each.spot.key, each]));
  const more = hopes.filter((each) => nodes[each.spot.key]?.started === undefined).slice(0, Math.max(0, MOST_ROWS - rows.length));
  const step = STEPS.find((each) => span / each <= 5) ?? span / 4;
  const ticks = Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step);
  const left = (at: number): string => `${(100 * (at - start)) / (span * 1.12)}%`;
  return (
    <div className="fnb-gantt" role="table" aria-label="When each node was at work" style={{ ["--rows" as string]: rows.length }}>
      <div className="scale" aria-hidden="true" style={{ height: TOP + (rows.length + more.length) * ROW }}>
        {ticks.map((tick) => (
          <span key={tick} className="tick" style={{ left: left(start + tick) }}>
            <i>{tick === 0 ? "0 s" : duration(tick)}</i>
          </span>
        ))}
        {bar.finished === null && !gone && <span className="now" style={{ left: left(now) }} />}
      </div>
      {rows.map(({ spot, node }) => {
        const from = node.started ?? start;
        const to = node.finished ?? end;
        const wide = `${Math.max(0, (100 * (to - from)) / (span * 1.12))}%`;
        return (
          <div
            key={spot.key}
            role="row"
            tabIndex={0}
            className={`row${picked === spot.key ? " on" : ""}`}
            onClick={() => store.select(spot.key)}
            onKeyDown={(event) => {
              if (event.key === "Enter") store.select(spot.key);
            }}
          >
            <span className="name ell" role="cell" title={spot.title}>
              {spot.title}
            </span>
            <span className="lane" role="cell" aria-label={`${node.status}, ${duration(to - from)}`}>
              <i className={`bar b-${node.status}${chain.has(spot.key) ? " crit" : ""}`} style={{ left: left(from), width: wide }} />
              {ghosts.has(spot.key) && <i className="ghost" style={{ left: left(to), width: `calc(${left(ghosts.get(spot.key)?.to ?? to)} - ${left(to)})` }} />}
              <span className="took" style={{ left: `calc(${left(to)} + 6px)` }}>
                {node.status === "waiting" ? "waiting, not counted" : duration(to - from)}
                {node.look === "cached" ? ", cached" : ""}
                {node.attempts ? `, attempt ${node.attempts}` : ""}
              </span>
            </span>
          </div>
        );
      })}
      {more.map(({ spot, from, to }) => (
        <div key={spot.key} role="row" className="row" onClick={() => store.select(spot.key)}>
          <span className="name ell" role="cell" title={spot.title}>
            {spot.title}
          </span>
          <span className="lane" role="cell" aria-label={`expected to take ${duration(to - from)}`}>
            <i className="ghost" style={{ left: left(from), width: `calc(${left(to)} - ${left(from)})` }} />
            <span className="took" style={{ left: `calc(${left(to)} + 6px)` }}>
              about {duration(to - from)}
            </span>
          </span>
        </div>
      ))}
    </div>
  );
}
