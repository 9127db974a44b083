// What people fill in beside an answer: from fields to data, and what is wrong with it.

import type { Field } from "./wire";

export type Filled = Record<string, string | boolean>;

export function begin(fields: Field[]): Filled {
  return Object.fromEntries(fields.map((field) => [field.name, initial(field)]));
}

function initial(field: Field): string | boolean {
  if (field.kind === "boolean") return field.default === true;
  if (field.default === undefined || field.default === null) return "";
  return field.kind === "json" ? JSON.stringify(field.default) : String(field.default);
}

/** The data of a filled form, and a sentence for each field that is not right yet. */
export function read(fields: Field[], filled: Filled): { data: Record<string, unknown>; wrong: Record<string, string> } {
  const data: Record<string, unknown> = {};
  const wrong: Record<string, string> = {};
  for (const field of fields) {
    const given = filled[field.name] ?? "";
    if (typeof given === "boolean") {
      data[field.name] = given;
    } else if (given === "") {
      if (field.required) wrong[field.name] = "This is needed.";
    } else {
      const value = valueOf(field, given);
      if (value === undefined) wrong[field.name] = WRONG[field.kind] ?? "This is not understood.";
      else if (typeof value === "number" && field.minimum !== undefined && value < field.minimum) wrong[field.name] = `At least ${field.minimum}.`;
      else if (typeof value === "number" && field.maximum !== undefined && value > field.maximum) wrong[field.name] = `At most ${field.maximum}.`;
      else data[field.name] = value;
    }
  }
  return { data, wrong };
}

const WRONG: Partial<Record<Field["kind"], string>> = {
  number: "This is a number.",
  integer: "This is a whole number.",
  json: 'This is JSON, as [1, 2] or {"a": 1}.',
};

function valueOf(field: Field, given: string): unknown {
  switch (field.kind) {
    case "number":
    case "integer": {
      const value = Number(given.trim().replace(",", "."));
      return Number.isFinite(value) && (field.kind === "number" || Number.isInteger(value)) ? value : undefined;
    }
    case "choice":
      return field.options?.find((each) => String(each) === given);
    case "json":
      try {
        return JSON.parse(given) as unknown;
      } catch {
        return undefined;
      }
    default:
      return given;
  }
}
