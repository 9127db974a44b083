// A value as the store previews it: a table, a picture, a list, a text; always as text, never as HTML.

import type { Preview } from "./wire";
import { bytes, count } from "./words";

export function Value({ value }: { value: Preview }) {
  switch (value.kind) {
    case "nothing":
      return <p className="sec fnb-said">None</p>;
    case "table":
      return <Table value={value} />;
    case "image":
      return <Picture value={value} />;
    case "dict":
      return <Pairs items={(value.items ?? []) as [string, string][]} more={(value.length ?? 0) - (value.items?.length ?? 0)} />;
    case "list":
      return (
        <Pairs
          items={((value.items ?? []) as string[]).map((each, index) => [String(index), each])}
          more={(value.length ?? 0) - (value.items?.length ?? 0)}
        />
      );
    case "text": {
      const head = String(value.head ?? "");
      return <pre className="fnb-pre">{head + ((value.length ?? 0) > head.length ? "…" : "")}</pre>;
    }
    case "array":
    case "bytes":
      return <pre className="fnb-pre">{String(value.head ?? "")}</pre>;
    case "object":
      return (
        <>
          {value.png && <Picture value={value} />}
          <pre className="fnb-pre">{value.text}</pre>
          {value.reason && <p className="sec fnb-said">Not stored: {value.reason}</p>}
        </>
      );
    default:
      return <pre className="fnb-pre">{value.text}</pre>;
  }
}

/** One line on what a value is: `5 rows × 4 columns`, `list of 12`, `1.2 MB`. */
export function summary(value: Preview): string {
  const size = value.size ? `, ${bytes(value.size)}` : "";
  switch (value.kind) {
    case "table":
      return `${count(value.rows ?? 0)} rows × ${count(value.columns ?? 0)} columns${size}`;
    case "list":
    case "dict":
      return `${value.type} of ${count(value.length ?? 0)}${size}`;
    case "text":
      return `${count(value.length ?? 0)} characters${size}`;
    case "bytes":
      return `${bytes(value.length ?? 0)} of ${value.format || value.type}`;
    case "array":
      return `${(value.shape ?? []).join(" × ")} ${value.dtype ?? ""}${size}`;
    case "image":
      return `${value.width ?? "?"} × ${value.height ?? "?"} pixels${size}`;
    default:
      return value.type === "NoneType" ? "" : `${value.type}${size}`;
  }
}

function Picture({ value }: { value: Preview }) {
  return value.png ? <img className="fnb-picture" alt={summary(value)} src={`data:image/png;base64,${value.png}`} /> : null;
}

function Pairs({ items, more }: { items: [string, string][]; more: number }) {
  return (
    <table className="fnb-table pairs">
      <tbody>
        {items.map(([name, text], index) => (
          <tr key={index}>
            <th scope="row">{name}</th>
            <td>{text}</td>
          </tr>
        ))}
        {more > 0 && (
          <tr>
            <td colSpan={2} className="sec">
              and {count(more)} more
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

const NUMBERS = /^(u?int|float|complex)/;

function Table({ value }: { value: Preview }) {
  const schema = value.schema ?? [];
  const rows = (value.head ?? []) as unknown[][];
  const right = schema.map(([, dtype]) => NUMBERS.test(dtype));
  return (
    <div className="fnb-scroll">
      <table className="fnb-table">
        <thead>
          <tr>
            <th className="idx" />
            {schema.map(([name, dtype], index) => (
              <th key={index} className={right[index] ? "r" : ""}>
                {name}
                <small>{dtype}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              <td className="idx">{value.index?.[index] ?? index}</td>
              {row.map((cell, column) => (
                <td key={column} className={right[column] ? "r" : ""}>
                  {cell === null ? <span className="sec">None</span> : String(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
