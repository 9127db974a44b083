// What runs ask people: a line each, and under it the card that answers.

import { useNow, useShared } from "../use";
import { duration } from "../words";
import { Answered } from "../Answered";
import { Asking } from "../Asking";
import { Icon } from "../Icon";
import { Chip, Pager, Search, walk } from "./Finder";
import type { RequestRow } from "./wire";
import { useList, useListPart } from "./use";

const SIGNS: Record<RequestRow["status"], [icon: string, tone: string, word: string]> = {
  pending: ["waiting", "waiting", "Waiting"],
  approved: ["completed", "completed", "Approved"],
  rejected: ["cancelled", "cancelled", "Rejected"],
  answered: ["completed", "completed", "Answered"],
  expired: ["clock", "skipped", "Expired"],
  cancelled: ["cancelled", "cancelled", "Cancelled"],
};

export function Requests() {
  const store = useList();
  const part = useListPart("requests", (each) => each.requests);
  if (!part) return null;
  const all = Object.values(part.counts).reduce((sum, each) => sum + each, 0);
  const listed = new Set(part.rows.map((row) => row.id));
  const kept = Object.values(part.open).filter((each) => !listed.has(each.id));
  // What was answered keeps its place until it is folded.
  const rows: RequestRow[] = [...kept, ...part.rows].sort((a, b) => (part.pending ? a.asked - b.asked : b.asked - a.asked));
  return (
    <section className="fnb-list" aria-label="Questions" data-list="requests">
      <div className="fnb-finder">
        <Chip name="pending" word="Waiting" number={part.counts["pending"] ?? 0} on={part.pending} onClick={() => store.find("requests", { pending: true, skip: 0 })} />
        <Chip name="all" word="All" number={all} on={!part.pending} onClick={() => store.find("requests", { pending: false, skip: 0 })} />
        <span className="grow" />
        <Search part="requests" text={part.text} label="Question, node, workflow or run" />
      </div>
      {rows.length === 0 ? (
        <Nothing text={part.text} pending={part.pending} ever={all > 0} />
      ) : (
        <div className="fnb-lines" role="list" onKeyDown={walk}>
          {rows.map((row) => (
            <Line key={row.id} row={row} />
          ))}
        </div>
      )}
      <Pager part="requests" noun="questions" skip={part.skip} size={part.size} total={part.total} />
    </section>
  );
}

function Line({ row }: { row: RequestRow }) {
  const store = useList();
  const gone = useShared("bar", (each) => each.gone);
  const question = useListPart("requests", (each) => each.requests?.open[row.id]);
  const now = useNow(!gone, 5_000);
  const [icon, tone, word] = SIGNS[row.status];
  const open = question !== undefined;
  return (
    <div className={`fnb-line${open ? " open" : ""}`} role="listitem" data-request={row.id} data-status={row.status}>
      <button
        type="button"
        className="fnb-row fnb-request"
        data-row={row.id}
        aria-expanded={open}
        disabled={gone && !open}
        onClick={() => store.ask({ ask: "unfold", run: row.run, approval: row.id, on: !open })}
      >
        <span className={`s-${tone}`} title={word}>
          <Icon name={icon} small />
          <span className="fnb-spoken">{word}</span>
        </span>
        <span className="what">
          <span className="ell name">{row.line}</span>
          <span className="ell sec small">
            {row.node} of {row.workflow}, run <code>{row.run}</code>
          </span>
        </span>
        <span className="sec small num when">
          {duration(Math.max(0, now - row.asked))} ago
          {row.expires !== null && row.status === "pending" && <span>expires in {duration(Math.max(0, row.expires - now))}</span>}
        </span>
        <Icon name={open ? "up" : "down"} />
      </button>
      {question && (
        <div className="fnb-unfolded">
          {question.status === "pending" ? <Asking question={question} /> : <Answered question={question} />}
          <button type="button" className="fnb-btn" data-attach={row.run} disabled={gone} onClick={() => store.ask({ ask: "attach", run: row.run })}>
            <Icon name="open" />
            Show its run
          </button>
        </div>
      )}
    </div>
  );
}

function Nothing({ text, pending, ever }: { text: string; pending: boolean; ever: boolean }) {
  if (text) return <p className="fnb-none">No question has “{text}” in it.</p>;
  return (
    <div className="fnb-none" data-empty="requests">
      <Icon name="completed" />
      <b>Nobody waits for you.</b>
      <span className="sec">
        {pending && ever ? "All questions of this store have their answer." : "What a run asks appears here at once:"}{" "}
        {!ever && <code>flow.approval(&quot;ok&quot;, &quot;Post it?&quot;)</code>}
      </span>
    </div>
  );
}
