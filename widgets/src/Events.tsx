// The journal as it grows: the newest events of the run.

import { useEffect, useRef } from "react";
import { usePart, useStore } from "./use";
import { clock } from "./words";

export function Events() {
  const store = useStore();
  const seq = usePart("bar", (each) => each.bar.seq);
  const gone = usePart("bar", (each) => each.gone);
  const then = usePart("place", (each) => each.place?.seq ?? null);
  const lines = usePart("events", (each) => (each.place?.seq != null ? each.eventsThen : each.events));
  const list = useRef<HTMLDivElement>(null);
  const last = useRef(0);
  useEffect(() => {
    if (gone) return;
    if (then !== null) {
      store.ask({ ask: "events", until: then });
      return;
    }
    const known = store.events.at(-1)?.seq ?? 0;
    if (known >= seq) return;
    const timer = setTimeout(() => store.ask({ ask: "events", after: known }), last.current ? 500 : 0);
    last.current = seq;
    return () => clearTimeout(timer);
  }, [store, seq, gone, then]);
  useEffect(() => {
    const element = list.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, [lines]);
  return (
    <div className="fnb-events" ref={list} tabIndex={0} role="log" aria-label="Events of the run" aria-live="off">
      <table className="fnb-table">
        <tbody>
          {lines.map((line) => (
            <tr key={line.seq}>
              <td className="idx num">{line.seq}</td>
              <td className="num sec">{clock(line.at)}</td>
              <td className="mono">{line.type}</td>
              <td>{line.node}</td>
              <td className="sec" title={line.text}>
                {line.text}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
