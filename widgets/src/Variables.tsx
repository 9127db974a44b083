// The variables of the run: what each is, who set it and when; where it may be changed, a field changes it.

import { useEffect, useState } from "react";
import { usePart, useStore } from "./use";
import type { Variable } from "./wire";
import { clock } from "./words";
import { Icon } from "./Icon";
import { summary } from "./Value";

export function Variables() {
  const store = useStore();
  const rows = usePart("variables", (each) => each.variables);
  useEffect(() => {
    store.list(true);
    return () => store.list(false);
  }, [store]);
  if (!rows) return <p className="sec fnb-said">{store.gone ? "Only the kernel knows them, and it is gone." : "Reading…"}</p>;
  if (rows.length === 0) return <p className="sec fnb-said">The flow has no inputs and no variables.</p>;
  return (
    <div className="fnb-vars" role="table" aria-label="Variables of the run">
      {rows.map((row) => (
        <Row key={row.name} row={row} />
      ))}
    </div>
  );
}

function Row({ row }: { row: Variable }) {
  const store = useStore();
  const barred = usePart("bar", (each) => each.barred);
  const ended = usePart("bar", (each) => each.bar.finished !== null);
  const refusal = usePart("notice", (each) => each.refusal);
  const [typed, type] = useState<string | null>(null);
  const [sent, send] = useState(false);
  const may = !ended && barred === null && (row.secret || row.text !== undefined || row.value === undefined);
  const why = barred ?? (ended ? "The run has ended." : "It is no plain data: run.set() can change it.");
  useEffect(() => {
    if (sent && !refusal) type(null); // what came back is what was set
  }, [row.text, row.seq, row.left]);
  const save = (): void => {
    if (typed === null) return;
    store.dismiss();
    send(true);
    store.ask({ ask: "set", name: row.name, text: typed });
  };
  return (
    <div role="row" className="row" data-variable={row.name}>
      <span role="cell" className="name ell" title={row.help ?? row.name}>
        <b>{row.name}</b> {row.type && row.type !== "any" && <span className="sec small">{row.type}</span>}
      </span>
      <span role="cell" className="value ell">
        {typed === null ? (
          <Shown row={row} />
        ) : (
          <input
            autoFocus
            className="fnb-in"
            aria-label={`Value of ${row.name}`}
            aria-invalid={sent && refusal !== null}
            placeholder={row.secret ? "secret://name" : "text or JSON"}
            value={typed}
            onChange={(event) => type(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") save();
              else if (event.key === "Escape") type(null);
              else return;
              event.stopPropagation();
            }}
          />
        )}
        {typed !== null && sent && refusal && (
          <span className="s-failed small" role="alert">
            {refusal.message}
          </span>
        )}
      </span>
      <span role="cell" className="sec small who ell">
        {row.left ? "taken up when the run goes on" : [row.by, row.at === undefined ? "" : clock(row.at)].filter(Boolean).join(", ")}
      </span>
      <span role="cell" className="act">
        {typed === null ? (
          <button
            type="button"
            className="fnb-btn icon"
            disabled={!may}
            aria-label={`Change ${row.name}`}
            title={may ? "Change it" : why}
            onClick={() => {
              send(false);
              type(row.secret ? "" : (row.text ?? ""));
            }}
          >
            <Icon name="edit" />
          </button>
        ) : (
          <button type="button" className="fnb-btn line" onClick={save}>
            Set
          </button>
        )}
      </span>
    </div>
  );
}

function Shown({ row }: { row: Variable }) {
  if (row.secret) return <span title="A secret is never shown">{row.text || <span className="sec">not given</span>}</span>;
  if (row.text !== undefined) return <code title={row.text.slice(0, 500)}>{row.text === "" ? "\u201c\u201d" : row.text}</code>;
  if (row.value) return <span>{[row.value.type, summary(row.value)].filter(Boolean).join(": ")}</span>;
  return <span className="sec">not given</span>;
}
