// The journal's slider: drag it, and the view shows the run as it was after that event.

import { useEffect, useState } from "react";
import { usePart, useStore } from "./use";
import { count } from "./words";
import { Icon } from "./Icon";

/** While it plays: milliseconds between two moments, and how many there are of a long journal. */
const TICK = 150;
const STEPS = 120;

export function Journal() {
  const store = useStore();
  const place = usePart("place", (each) => each.place);
  const last = usePart("place", (each) => each.last);
  const gone = usePart("bar", (each) => each.gone);
  const [playing, play] = useState(false);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const at = store.place;
      if (!at || at.wanted >= store.last) {
        store.lookNow();
        play(false);
      } else if (at.seq === at.wanted) store.lookBack(at.wanted + Math.max(1, Math.round(store.last / STEPS)));
    }, TICK);
    return () => clearInterval(timer);
  }, [playing, store]);
  if (last === 0 || (gone && !place)) return <span className="grow" />;
  const at = place?.wanted ?? last;
  const share = last ? (100 * at) / last : 0;
  const go = (seq: number): void => {
    play(false);
    if (seq >= last && !place) return;
    store.lookBack(seq);
  };
  return (
    <div className="fnb-journal" role="group" aria-label="Journal">
      <button
        type="button"
        className="fnb-btn icon"
        disabled={gone}
        aria-label={playing ? "Stop" : "Play the journal"}
        title={playing ? "Stop" : "Play the journal from its beginning, or from here"}
        onClick={() => {
          if (!playing && !place) store.lookBack(0);
          play(!playing);
        }}
      >
        <Icon name={playing ? "pause" : "resume"} />
      </button>
      <span className="word">Journal</span>
      <input
        type="range"
        className="fnb-range"
        data-journal="slider"
        aria-label="Event of the journal"
        aria-valuetext={place ? `after event ${at} of ${last}` : "now"}
        title="Arrow keys go from event to event; End and Escape go back to now"
        min={0}
        max={last}
        step={1}
        value={at}
        disabled={gone}
        style={{ ["--share" as string]: `${share}%` }}
        onChange={(event) => go(Number(event.target.value))}
        onKeyDown={(event) => {
          if (event.key !== "Escape" && event.key !== "End") return;
          event.preventDefault();
          play(false);
          store.lookNow();
        }}
      />
      <span className="num said" aria-live="off">
        {place?.read != null ? `reading, ${count(place.read)} of ${count(last)}` : `event ${count(at)} of ${count(last)}`}
      </span>
      {place ? (
        <button
          type="button"
          className="fnb-btn line"
          data-journal="now"
          onClick={() => {
            play(false);
            store.lookNow();
          }}
        >
          Back to now
        </button>
      ) : (
        <span className="fnb-pill s-running" data-journal="live">
          Now
        </span>
      )}
    </div>
  );
}
