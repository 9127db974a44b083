// The runs of a store, newest first: how each stands, and the way into it.

import { useNow, useShared } from "../use";
import { capital, duration, elapsed } from "../words";
import type { RunStatus } from "../wire";
import { Icon } from "../Icon";
import { Chip, Pager, Search, walk } from "./Finder";
import type { RunRow } from "./wire";
import { useList, useListPart } from "./use";

const STATUSES: RunStatus[] = ["running", "paused", "failed", "completed", "cancelled", "pending"];
const REASONS: Record<string, string> = {
  human: "Waits for a person",
  timer: "Waits for a time",
  event: "Waits for an event",
  budget: "Paused: budget spent",
  breakpoint: "Halted at a breakpoint",
  manual: "Paused",
  error: "Paused after an error",
  in_doubt: "In doubt after a crash",
};

export function Runs() {
  const store = useList();
  const part = useListPart("runs", (each) => each.runs);
  if (!part) return null;
  const all = Object.values(part.counts).reduce((sum, each) => sum + each, 0);
  const choose = (status: RunStatus[]) => () => store.find("runs", { status, skip: 0 });
  const alone = part.status.length === 1 ? part.status[0] : null;
  return (
    <section className="fnb-list" aria-label="Runs" data-list="runs">
      <div className="fnb-finder">
        <Chip name="all" word="All" number={all} on={part.status.length === 0} onClick={choose([])} />
        {STATUSES.filter((each) => part.counts[each] || part.status.includes(each)).map((each) => (
          <Chip
            key={each}
            name={each}
            word={capital(each)}
            number={part.counts[each] ?? 0}
            on={part.status.includes(each)}
            onClick={choose(alone === each ? [] : [each])}
          />
        ))}
        <span className="grow" />
        <Search part="runs" text={part.text} label="Workflow, run or key" />
      </div>
      {part.rows.length === 0 ? (
        <Nothing text={part.text} filtered={part.status.length > 0} ever={all > 0} />
      ) : (
        <div className="fnb-lines" role="list" onKeyDown={walk}>
          {part.rows.map((row) => (
            <div key={row.id} role="listitem" className="fnb-line">
              <Line row={row} />
            </div>
          ))}
        </div>
      )}
      <Pager part="runs" noun="runs" skip={part.skip} size={part.size} total={part.total} />
    </section>
  );
}

function Line({ row }: { row: RunRow }) {
  const store = useList();
  const gone = useShared("bar", (each) => each.gone);
  const opened = useListPart("opened", (each) => each.opened.run === row.id);
  const atWork = row.status === "running" && !row.lost && !gone;
  const now = useNow(!gone, atWork ? 1_000 : 30_000);
  const waits = row.status === "paused" && row.reason !== "manual";
  const tone = row.lost ? "failed" : waits ? "waiting" : row.status === "paused" ? "pending" : row.status;
  const icon = row.lost ? "plug" : waits ? "waiting" : row.status;
  const word = row.lost ? "Its process is gone" : row.status === "paused" ? (REASONS[row.reason] ?? "Paused") : capital(row.status);
  const took = row.started === null ? null : row.finished !== null ? row.finished - row.started : atWork ? now - row.started : null;
  return (
    <button
      type="button"
      className={`fnb-row fnb-runrow${opened ? " on" : ""}`}
      data-row={row.id}
      data-run-row={row.id}
      data-status={row.status}
      aria-expanded={opened}
      disabled={gone}
      title={opened ? "Close its view" : `Open its view, as flownb.attach("${row.id}") does`}
      onClick={() => store.ask(opened ? { ask: "close" } : { ask: "attach", run: row.id })}
    >
      <span className={`s-${tone}`}>
        <Icon name={icon} small spin={atWork} />
      </span>
      <span className="what">
        <span className="ell name">{row.workflow}</span>
        <span className="ell sec small">
          <code>{row.id}</code>
          {row.key && <>, key {row.key}</>}
          {row.trigger !== "manual" && <>, started by {row.trigger}</>}
        </span>
      </span>
      <span className={`state s-${tone} small`}>{word}</span>
      <span className="sec small num took">{took !== null && elapsed(Math.max(0, took))}</span>
      <span className="sec small num when">{duration(Math.max(0, now - row.created))} ago</span>
      <Icon name={opened ? "up" : "down"} />
    </button>
  );
}

function Nothing({ text, filtered, ever }: { text: string; filtered: boolean; ever: boolean }) {
  if (text || filtered || ever) return <p className="fnb-none">No run is like that{text && <>: nothing has “{text}” in its name, id or key</>}.</p>;
  return (
    <div className="fnb-none" data-empty="runs">
      <Icon name="resume" />
      <b>Nothing has run here yet.</b>
      <span className="sec">Write a node and start its flow, and the run appears here:</span>
      <pre className="fnb-pre">{'from flownb import Flow\nflow = Flow("first")\n\n@flow.node\ndef hello():\n    return "hello"\n\nflow.run()'}</pre>
    </div>
  );
}
