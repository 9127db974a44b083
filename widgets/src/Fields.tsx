// The form of a question, field by field.

import { useId } from "react";
import type { Field } from "./wire";
import type { Filled } from "./form";

interface Props {
  fields: Field[];
  filled: Filled;
  /** What is wrong, by field; shown once somebody has tried to send. */
  wrong: Record<string, string>;
  onChange: (filled: Filled) => void;
}

export function Fields({ fields, filled, wrong, onChange }: Props) {
  return (
    <div className="fnb-fields">
      {fields.map((field) => (
        <Input
          key={field.name}
          field={field}
          value={filled[field.name] ?? ""}
          wrong={wrong[field.name]}
          onChange={(value) => onChange({ ...filled, [field.name]: value })}
        />
      ))}
    </div>
  );
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
