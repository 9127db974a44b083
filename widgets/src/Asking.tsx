// An open question: what is asked, what is shown, what is filled in, and the answers as buttons.

import { useState } from "react";
import { useLink, useNow, useShared } from "./use";
import type { Question } from "./wire";
import { begin, read } from "./form";
import { capital, duration, elapsed } from "./words";
import { EditBox, useEdit } from "./EditBox";
import { Fields } from "./Fields";
import { Icon } from "./Icon";
import { Previews } from "./Previews";

const WORDS: Record<string, string> = { approved: "Approve", rejected: "Reject", answered: "Send", rerun: "Run it again", completed: "It was done", fail: "Fail" };
const ACTIONS: Record<string, string> = { approved: "approve", rejected: "reject" };

export function Asking({ question }: { question: Question }) {
  const store = useLink();
  const barred = useShared("bar", (each) => each.barred);
  const [filled, fill] = useState(() => begin(question.fields));
  const [comment, say] = useState("");
  const [tried, setTried] = useState(false);
  const [sent, setSent] = useState<string | null>(null);
  const refusal = useShared("notice", (each) => each.refusal);
  const silent = useShared("notice", (each) => each.silent);
  const { data, wrong } = read(question.fields, filled);
  const edit = useEdit(question);
  const missing = Object.keys(wrong).length > 0 || edit.wrong !== undefined;
  const answer = (port: string): void => {
    if (barred !== null) return;
    if (missing && port !== "rejected") {
      setTried(true);
      return;
    }
    store.dismiss();
    setSent(port);
    const given = port === "rejected" ? undefined : answerData(question, data, edit.data);
    store.ask({ ask: "decide", approval: question.id, port, comment, ...(given === undefined ? {} : { data: given }) });
  };
  const keys = letters(question.ports);
  const press = (event: React.KeyboardEvent): void => {
    if (event.target !== event.currentTarget && isField(event.target)) return;
    const port = question.ports.find((each) => keys[each] === event.key.toUpperCase());
    if (!port || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    answer(port);
  };
  const busy = sent !== null && !refusal;
  return (
    <section
      className="fnb-ask open flownb-approval"
      data-approval={question.id}
      data-status={question.status}
      tabIndex={0}
      aria-label={`Question of ${question.node}`}
      onKeyDown={press}
    >
      <div className="top">
        <span className="fam" style={{ ["--fam" as string]: "var(--fnb-f-people)" }}>
          <Icon name="person" />
        </span>
        <b>{question.node}</b>
        <Asked at={question.asked} />
        <span className="grow" />
        <span className="s-waiting state">
          <Icon name="waiting" small />
          Waiting for you
        </span>
        {question.expires !== null && <Expires at={question.expires} />}
      </div>
      <div className="mid">
        <p className="fnb-q">{question.question}</p>
        {question.details && <p className="fnb-details">{question.details}</p>}
        {!edit.open && <Previews previews={question.previews} />}
        {question.edits && <EditBox edit={edit} />}
        {question.fields.length > 0 && <Fields fields={question.fields} filled={filled} wrong={tried ? wrong : {}} onChange={fill} />}
        <label className="fnb-field">
          <span>
            Comment <span className="hint">optional, kept in the journal</span>
          </span>
          <input className="fnb-in" type="text" placeholder="Why, in a few words" value={comment} onChange={(event) => say(event.target.value)} />
        </label>
        {silent === "decide" && sent !== null && (
          <p className="sec fnb-said" role="status">
            The kernel is busy with another cell and takes the answer when that ends. In a terminal it is taken at once:{" "}
            <code>{lineOf(question.id, sent)}</code>
          </p>
        )}
        {refusal && sent !== null && (
          <p className="s-failed fnb-said" role="alert">
            {refusal.message}
          </p>
        )}
      </div>
      <div className="end">
        {question.ports.map((port, index) => (
          <button
            type="button"
            key={port}
            className={`fnb-btn big${index === 0 ? " primary" : index === 1 ? " line" : ""}`}
            data-action={ACTIONS[port] ?? port}
            disabled={busy || barred !== null}
            title={barred ?? undefined}
            onClick={() => answer(port)}
          >
            {wordOf(port)}
            {index === 0 && edit.data !== undefined ? " with changes" : ""}
            <span className="fnb-kbd">{keys[port]}</span>
          </button>
        ))}
        <span className="grow" />
        <span className="sec small who">
          <Who question={question} />
        </span>
      </div>
    </section>
  );
}

/** What goes with an answer: the form's fields, the changed data, or both. */
export function answerData(question: Question, fields: Record<string, unknown>, changed: unknown): unknown {
  if (question.fields.length === 0) return changed;
  return changed === undefined ? fields : { ...fields, edited: changed };
}

function Who({ question }: { question: Question }) {
  const votes = question.votes.length;
  const may = question.approvers.length ? `May decide: ${question.approvers.join(", ")}.` : "Anybody may decide.";
  const need = question.needed > 1 ? ` ${votes} of ${question.needed} votes are there.` : "";
  return (
    <>
      {may}
      {need}
    </>
  );
}

/** The command that gives an answer. */
function lineOf(approval: string, port: string): string {
  const verbs: Record<string, string> = { approved: `flownb approve ${approval}`, rejected: `flownb reject ${approval}` };
  return verbs[port] ?? `flownb approve ${approval} --port ${port}`;
}

export function wordOf(port: string): string {
  return WORDS[port] ?? capital(port.replaceAll("_", " "));
}

/** A letter for each answer: the first of its word that no other has. */
function letters(ports: string[]): Record<string, string> {
  const taken = new Set<string>();
  const found: Record<string, string> = {};
  for (const port of ports) {
    const letter = [...wordOf(port).toUpperCase()].find((each) => /[A-Z]/.test(each) && !taken.has(each)) ?? "";
    if (letter) taken.add(letter);
    found[port] = letter;
  }
  return found;
}

function isField(target: EventTarget): boolean {
  return target instanceof HTMLElement && ["INPUT", "SELECT", "TEXTAREA", "BUTTON"].includes(target.tagName);
}

function Asked({ at }: { at: number }) {
  const spent = useNow(true, 10_000) - at;
  return <span className="sec num">{spent < 60 ? "asked just now" : `asked ${duration(spent)} ago`}</span>;
}

function Expires({ at }: { at: number }) {
  const now = useNow(true, 1_000);
  const left = at - now;
  return <span className="num">{left > 0 ? `expires in ${elapsed(Math.max(1, Math.floor(left)))}` : "expires now"}</span>;
}
