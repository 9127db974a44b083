// An open question: what is asked, what is shown, what is filled in, and the answers as buttons.

import { useId, useState } from "react";
import { useLink, useNow, useShared } from "./use";
import type { Field, Question } from "./wire";
import { begin, read } from "./form";
import { capital, elapsed } from "./words";
import { Icon } from "./Icon";
import { Value, summary } from "./Value";

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
  const missing = Object.keys(wrong).length > 0;
  const answer = (port: string): void => {
    if (barred !== null) return;
    if (missing && port !== "rejected") {
      setTried(true);
      return;
    }
    setSent(port);
    const form = question.fields.length > 0 && port !== "rejected" ? { data } : {};
    store.ask({ ask: "decide", approval: question.id, port, comment, ...form });
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
        {question.previews.map((each, index) => (
          <div className="fnb-box" key={index}>
            {each.kind === "diff" ? <Diff text={String(each.value.head ?? each.value.text ?? "")} /> : <Value value={each.value} />}
            <div className="fnb-foot">
              <span className="num">
                {summary(each.value)}
                {each.name && (
                  <>
                    {" "}
                    of <code>{each.name}</code>
                  </>
                )}
              </span>
            </div>
          </div>
        ))}
        {question.fields.length > 0 && (
          <div className="fnb-fields">
            {question.fields.map((field) => (
              <Input
                key={field.name}
                field={field}
                value={filled[field.name] ?? ""}
                wrong={tried ? wrong[field.name] : undefined}
                onChange={(value) => fill({ ...filled, [field.name]: value })}
              />
            ))}
          </div>
        )}
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
            <span className="fnb-kbd">{keys[port]}</span>
          </button>
        ))}
        <span className="grow" />
        <span className="sec small who">
          <Who question={question} />
          {question.edits && (
            <>
              {" "}
              To answer with changed data: <code>run.decide(&quot;{question.id}&quot;, data=…)</code>
            </>
          )}
        </span>
      </div>
    </section>
  );
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

function Expires({ at }: { at: number }) {
  const now = useNow(true, 1_000);
  const left = at - now;
  return <span className="num">{left > 0 ? `expires in ${elapsed(Math.max(1, Math.floor(left)))}` : "expires now"}</span>;
}

interface InputProps {
  field: Field;
  value: string | boolean;
  wrong: string | undefined;
  onChange: (value: string | boolean) => void;
}

function Input({ field, value, wrong, onChange }: InputProps) {
  const id = useId();
  const text = String(value);
  const common = { id, "aria-invalid": wrong !== undefined, "aria-describedby": `${id}-hint` };
  return (
    <div className={`fnb-field${field.kind === "boolean" ? " check" : ""}`}>
      <label htmlFor={id}>
        {field.title} {!field.required && field.kind !== "boolean" && <span className="hint">optional</span>}
      </label>
      {field.kind === "choice" ? (
        <select className="fnb-in" {...common} value={text} onChange={(event) => onChange(event.target.value)}>
          {!field.options?.some((each) => String(each) === text) && <option value="" />}
          {field.options?.map((each) => (
            <option key={String(each)} value={String(each)}>
              {String(each)}
            </option>
          ))}
        </select>
      ) : field.kind === "boolean" ? (
        <input type="checkbox" {...common} checked={value === true} onChange={(event) => onChange(event.target.checked)} />
      ) : (
        <input
          className="fnb-in"
          type={field.kind === "date" ? "date" : "text"}
          inputMode={field.kind === "number" ? "decimal" : field.kind === "integer" ? "numeric" : "text"}
          {...common}
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
      <span id={`${id}-hint`} className={wrong ? "s-failed" : "hint"}>
        {wrong ?? field.hint}
      </span>
    </div>
  );
}

export function Diff({ text }: { text: string }) {
  return (
    <pre className="fnb-pre diff">
      {text.split("\n").map((line, index) => (
        <span key={index} className={line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : ""}>
          {line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
