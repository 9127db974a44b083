import { expect, it } from "vitest";
import { cellOf, dataOf, recordsOf, textOf } from "./edits";

it("keeps what was not touched as it was, whatever type it is", () => {
  for (const was of [null, 12, true, "12", "", 1.5]) expect(cellOf(textOf(was), ["string", "number"], was)).toBe(was);
});

it("reads a cell by the type of its column, and leaves to the kernel what does not fit", () => {
  expect(cellOf("13", ["integer"], 12)).toBe(13);
  expect(cellOf("13,5", ["number", "null"], 12)).toBe(13.5);
  expect(cellOf("13.5", ["integer"], 12)).toBe("13.5");
  expect(cellOf("many", ["number", "null"], 12)).toBe("many");
  expect(cellOf("", ["number", "null"], 12)).toBeNull();
  expect(cellOf("", ["string"], "a")).toBe("");
  expect(cellOf("false", ["boolean"], true)).toBe(false);
  expect(cellOf("4711", ["string", "number", "boolean", "null"], "4712")).toBe("4711");
});

it("makes records of rows", () => {
  expect(recordsOf([["a", ["integer"]], ["b", ["string", "null"]]], [[1, null]], [["2", ""]])).toEqual([{ a: 2, b: null }]);
});

it("says what is wrong with JSON", () => {
  expect(dataOf({ kind: "json", text: "" }, "[1]")).toEqual({ data: [1] });
  expect(dataOf({ kind: "json", text: "" }, "[1").wrong).toMatch(/^This is no JSON yet/);
  expect(dataOf({ kind: "text", text: "" }, "[1")).toEqual({ data: "[1" });
});
