// The bar over the canvas: which run, how it stands, how long it takes, and what can be asked of it.

import { useNow, usePart, useStore } from "./use";
import { remembered } from "./memory";
import { capital, count, elapsed } from "./words";
import { Icon } from "./Icon";

/** What a paused run waits for, in words. */
const REASONS: Record<string, string> = {
  human: "Waiting for a person",
  timer: "Waiting for a time",
  event: "Waiting for an event",
  budget: "Paused: budget spent",
  breakpoint: "Halted at a breakpoint",
  manual: "Paused",
  error: "Paused after an error",
  in_doubt: "In doubt after a crash",
};
/** Pauses that somebody's answer ends, and not a button up here. */
const ANSWERED = new Set(["human", "event"]);
const ICONS: Record<string, string> = { pending: "pending", paused: "waiting" };

export function Bar() {
  const store = useStore();
  const bar = usePart("bar", (each) => each.bar);
  const busy = usePart("bar", (each) => each.busy);
  const name = usePart("scene", (each) => each.scene.name);
  const atWork = usePart("bar", (each) => each.bar.status === "running" && !each.still);
  const tone = bar.status === "paused" ? (bar.reason === "manual" ? "pending" : "waiting") : bar.status;
  const icon = bar.status === "paused" && bar.reason === "manual" ? "paused" : (ICONS[bar.status] ?? bar.status);
  const word = bar.status === "paused" ? (REASONS[bar.reason] ?? "Paused") : capital(bar.status);
  const look = (key: string): void => {
    store.select(key);
    remembered(store).reveal(key);
  };
  const first = bar.failed[0];
  return (
    <header className="fnb-bar" aria-busy={busy}>
      <span className="title ell" title={`${name}, run ${bar.id}`}>
        {name}
      </span>
      <span className={`fnb-pill s-${tone}`} role="status">
        <Icon name={icon} small spin={atWork} />
        {word}
      </span>
      <span className="sep" />
      <span className="num">
        <b>
          {count(bar.done)}/{count(bar.total)}
        </b>{" "}
        <span className="sec">{bar.total === 1 ? "node" : "nodes"}</span>
      </span>
      <Elapsed />
      <span className="grow" />
      {bar.failures > 0 && first !== undefined && (
        <button type="button" className="fnb-btn s-failed" onClick={() => look(first)}>
          <Icon name="failed" small />
          {count(bar.failures)} failed
        </button>
      )}
      {bar.asked > 0 && (
        <button type="button" className="fnb-btn s-waiting" onClick={() => remembered(store).ask()}>
          <Icon name="waiting" small />
          {bar.asked === 1 ? "1 question waits for you" : `${count(bar.asked)} questions wait for you`}
        </button>
      )}
      <Actions />
      <span
        className="fnb-thin"
        role="progressbar"
        aria-valuenow={bar.done}
        aria-valuemin={0}
        aria-valuemax={bar.total}
        aria-label="Nodes done"
      >
        <i className={`p-${bar.status}`} style={{ width: `${bar.total ? (100 * bar.done) / bar.total : 0}%` }} />
      </span>
    </header>
  );
}

function Elapsed() {
  const bar = usePart("bar", (each) => each.bar);
  const gone = usePart("bar", (each) => each.gone);
  const still = usePart("bar", (each) => each.still);
  const expected = usePart("bar", (each) => each.expected.seconds);
  const now = useNow(bar.finished === null && bar.started !== null && !still);
  if (bar.started === null || (gone && bar.finished === null)) return null;
  const spent = Math.max(0, (bar.finished ?? now) - bar.started);
  const about = bar.status === "running" ? ofAbout(spent, expected) : null;
  return (
    <span className="num elapsed" data-expected={about ?? undefined}>
      <b className="spent">{elapsed(spent)}</b>
      {about !== null && <span className="sec"> of about {about}</span>}
    </span>
  );
}

/** What earlier runs took; nothing where it is unknown, or where this run is past comparing. */
export function ofAbout(spent: number, expected: number | undefined): string | null {
  return expected === undefined || expected < 0.5 || spent > 2 * expected ? null : elapsed(expected);
}

/** Whether the answer is there, and only whoever goes on with the run is missing. */
function isAnswered(bar: { reason: string; asked: number }): boolean {
  return bar.reason === "human" && bar.asked === 0;
}

function Actions() {
  const store = useStore();
  const bar = usePart("bar", (each) => each.bar);
  const gone = usePart("bar", (each) => each.gone);
  const barred = usePart("place", (each) => each.barred);
  if (gone) return null;
  const button = (ask: string, word: string, icon: string, node?: string) => (
    <button
      type="button"
      className="fnb-btn"
      data-action={ask}
      disabled={barred !== null}
      title={barred ?? undefined}
      onClick={() => store.ask(node === undefined ? { ask } : { ask, node })}
      key={ask}
    >
      <Icon name={icon} />
      <span className="word">{word}</span>
    </button>
  );
  const shown = {
    pending: [button("cancel", "Cancel", "stop")],
    running: [button("pause", "Pause", "pause"), button("step", "Step", "step"), button("cancel", "Cancel", "stop")],
    paused: [
      ...(ANSWERED.has(bar.reason) && !isAnswered(bar) ? [] : [button("resume", "Resume", "resume"), button("step", "Step", "step")]),
      button("cancel", "Cancel", "stop"),
    ],
    failed: [],
    completed: [],
    cancelled: [],
  }[bar.status];
  if (shown.length === 0) return null;
  return (
    <>
      <span className="sep" />
      <span className="actions">{shown}</span>
    </>
  );
}
