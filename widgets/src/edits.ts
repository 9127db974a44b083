// What a reviewer changed: from the text in cells and fields to the data of the answer.

import type { Editable } from "./wire";

export type Cell = string | number | boolean | null;

/** A cell as the text of its field. */
export function textOf(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

/** The text of a field as the cell's value: of the type that the column has; what does not fit stays text. */
export function cellOf(text: string, types: string[], was: unknown): Cell {
  if (text === textOf(was)) return (was ?? null) as Cell;
  if (text === "" && (types.includes("null") || !types.includes("string"))) return null;
  const takes = (type: string): boolean => types.includes(type);
  if (takes("boolean") && (text === "true" || text === "false") && (typeof was === "boolean" || !takes("string"))) return text === "true";
  const plain = text.trim().replace(",", ".");
  const number = plain === "" ? NaN : Number(plain);
  if (Number.isFinite(number) && (takes("integer") || takes("number")) && (typeof was === "number" || !takes("string"))) {
    return takes("number") || Number.isInteger(number) ? number : text;
  }
  return text;
}

/** The rows of a table as the records that an answer takes. */
export function recordsOf(columns: [string, string[]][], rows: unknown[][], typed: string[][]): Record<string, Cell>[] {
  return typed.map((row, index) =>
    Object.fromEntries(columns.map(([name, types], at) => [name, cellOf(row[at] ?? "", types, rows[index]?.[at])])),
  );
}

/** The data of a text that was changed; `wrong` says why there are none. */
export function dataOf(editable: Editable & { kind: "text" | "json" }, text: string): { data?: unknown; wrong?: string } {
  if (editable.kind === "text") return { data: text };
  try {
    return { data: JSON.parse(text) as unknown };
  } catch (error) {
    return { wrong: `This is no JSON yet: ${error instanceof Error ? error.message : String(error)}` };
  }
}
