// @vitest-environment happy-dom
import { act, cleanup, fireEvent } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { Asking, answerData } from "./Asking";
import { fake, question, show } from "./fake";
import type { Question } from "./wire";

afterEach(cleanup);

const card = (page: HTMLElement): HTMLElement => page.querySelector(".flownb-approval") as HTMLElement;

it("is answered by a letter, but not while a field has it", () => {
  const { store, asked } = fake();
  const page = show(store, <Asking question={question} />);
  fireEvent.keyDown(page.querySelector("input") as Element, { key: "r" });
  expect(asked).toHaveLength(0);
  fireEvent.keyDown(card(page), { key: "r" });
  expect(asked.at(-1)).toMatchObject({ ask: "decide", approval: "q1", port: "rejected" });
});

it.each([
  ["confirmation", ["approved", "rejected"], "a"],
  ["input", ["submitted"], "s"],
  ["decision", ["cheap", "fast", "none"], "c"],
  ["review", ["approved", "rejected"], "a"],
  ["in_doubt", ["rerun", "completed", "fail"], "r"],
] as const)("a %s is completed by keyboard", (kind, ports, letter) => {
  const { store, asked } = fake();
  const page = show(store, <Asking question={{ ...question, kind, ports: [...ports] } as Question} />);
  fireEvent.keyDown(card(page), { key: letter });
  expect(asked.at(-1)).toMatchObject({ ask: "decide", port: ports[0] });
});

it("sends the changed cells of a table, and stays with the sentence where they are refused", () => {
  const { store, asked, answer, refuse } = fake();
  const page = show(store, <Asking question={{ ...question, kind: "review", edits: true }} />);
  fireEvent.click(page.querySelector("[data-action='edit']") as Element);
  expect(asked.at(-1)).toMatchObject({ ask: "editable", approval: "q1" });
  act(() => answer({ editable: { approval: "q1", kind: "table", columns: [["supplier", ["string"]], ["amount", ["number"]]], rows: [["Acme", 310], ["Brunner", 500]] } }));
  const cell = page.querySelector("[aria-label='amount, row 1']") as HTMLInputElement;
  fireEvent.change(cell, { target: { value: "501,5" } });
  const approve = page.querySelector("[data-action='approve']") as HTMLButtonElement;
  expect(approve.textContent).toContain("with changes");
  fireEvent.click(approve);
  expect(asked.at(-1)).toMatchObject({ port: "approved", data: [{ supplier: "Acme", amount: 310 }, { supplier: "Brunner", amount: 501.5 }] });
  act(() => refuse("The answer to ok can't be taken: [1].amount is text."));
  expect(page.textContent).toContain("[1].amount is text");
  expect(cell.value).toBe("501,5");
  expect(approve.disabled).toBe(false);
});

it("does not send what is no JSON, and sends nothing where nothing was changed", () => {
  const { store, asked, answer } = fake();
  const page = show(store, <Asking question={{ ...question, kind: "review", edits: true }} />);
  fireEvent.click(page.querySelector("[data-action='edit']") as Element);
  act(() => answer({ editable: { approval: "q1", kind: "json", text: "[1]" } }));
  const field = page.querySelector("textarea") as HTMLTextAreaElement;
  fireEvent.change(field, { target: { value: "[1" } });
  fireEvent.click(page.querySelector("[data-action='approve']") as Element);
  expect(asked.at(-1)).toMatchObject({ ask: "editable" });
  expect(page.textContent).toContain("This is no JSON yet");
  fireEvent.change(field, { target: { value: "[1]" } });
  fireEvent.click(page.querySelector("[data-action='approve']") as Element);
  expect(asked.at(-1)).not.toHaveProperty("data");
});

it("puts changed data beside the form's fields where there are both", () => {
  const form: Question = { ...question, fields: [{ name: "n", kind: "text", title: "n", hint: "", required: false }] };
  expect(answerData(form, { n: 1 }, undefined)).toEqual({ n: 1 });
  expect(answerData(form, { n: 1 }, [2])).toEqual({ n: 1, edited: [2] });
  expect(answerData(question, {}, undefined)).toBeUndefined();
});
