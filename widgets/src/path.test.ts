import { describe, expect, it } from "vitest";
import { headOf, pathOf } from "./path";

describe("the way of an edge", () => {
  it("is straight where the layout is, and stops before its arrowhead", () => {
    expect(pathOf([[0, 10], [100, 10]])).toBe("M0 10L88.5 10");
  });
  it("has round corners", () => {
    expect(pathOf([[0, 0], [50, 0], [50, 100], [100, 100]])).toBe("M0 0L42 0Q50 0 50 8L50 92Q50 100 58 100L88.5 100");
  });
  it("has an arrowhead whose tip touches the port", () => {
    expect(headOf([[0, 10], [100, 10]])).toBe("M94.5 10L87.5 6.5L87.5 13.5Z");
  });
  it("is nothing without two points", () => {
    expect(pathOf([])).toBe("");
    expect(headOf([[1, 1]])).toBe("");
  });
});
