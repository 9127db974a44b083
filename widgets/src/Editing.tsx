// The data of a review as fields: cells of a table, or text.

import { useId } from "react";
import type { Editable } from "./wire";

interface Props {
  editable: Editable;
  rows: string[][];
  text: string;
  wrong: string | undefined;
  onRows: (rows: string[][]) => void;
  onText: (text: string) => void;
}

export function Editing({ editable, rows, text, wrong, onRows, onText }: Props) {
  const id = useId();
  if (editable.kind !== "table") {
    return (
      <div className="fnb-editing">
        <textarea
          className="fnb-in mono"
          aria-label={editable.kind === "json" ? "The data, as JSON" : "The text"}
          aria-invalid={wrong !== undefined}
          aria-describedby={`${id}-wrong`}
          spellCheck={editable.kind === "text"}
          rows={Math.min(16, Math.max(4, text.split("\n").length + 1))}
          value={text}
          onChange={(event) => onText(event.target.value)}
        />
        <span id={`${id}-wrong`} className="s-failed small">
          {wrong}
        </span>
      </div>
    );
  }
  const change = (row: number, column: number, value: string): void =>
    onRows(rows.map((cells, at) => (at === row ? cells.map((cell, index) => (index === column ? value : cell)) : cells)));
  return (
    <div className="fnb-editing fnb-scroll">
      <table className="fnb-table">
        <thead>
          <tr>
            <th className="idx" aria-label="Row" />
            {editable.columns.map(([name, types]) => (
              <th key={name}>
                {name}
                <small>{types.filter((each) => each !== "null").join(" or ")}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              <td className="idx">{row}</td>
              {cells.map((cell, column) => (
                <td key={column}>
                  <input
                    className="fnb-in cell"
                    aria-label={`${editable.columns[column]?.[0] ?? ""}, row ${row}`}
                    value={cell}
                    onChange={(event) => change(row, column, event.target.value)}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
