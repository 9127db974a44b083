import { expect, it } from "vitest";
import { begin, read } from "./form";
import type { Field } from "./wire";

const field = (name: string, kind: Field["kind"], more: Partial<Field> = {}): Field => ({ name, kind, title: name, hint: "", required: false, ...more });
const fields = [
  field("note", "text", { required: true }),
  field("centre", "choice", { options: [4200, 4300], default: 4200 }),
  field("share", "number", { minimum: 0, maximum: 1 }),
  field("urgent", "boolean"),
  field("tags", "json"),
];

it("begins with the defaults", () => {
  expect(begin(fields)).toEqual({ note: "", centre: "4200", share: "", urgent: false, tags: "" });
});

it("gives data of the types that the schema asks for", () => {
  const filled = { note: "ok", centre: "4300", share: "0,5", urgent: true, tags: '["a"]' };
  expect(read(fields, filled)).toEqual({ data: { note: "ok", centre: 4300, share: 0.5, urgent: true, tags: ["a"] }, wrong: {} });
});

it("says what is wrong, field by field, and leaves out what is empty", () => {
  const { data, wrong } = read(fields, { note: "", centre: "", share: "2", urgent: false, tags: "{" });
  expect(data).toEqual({ urgent: false });
  expect(Object.keys(wrong).sort()).toEqual(["note", "share", "tags"]);
});
