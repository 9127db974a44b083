import { describe, expect, it } from "vitest";
import { bytes, capital, count, duration, elapsed } from "./words";

describe("durations", () => {
  it("have one unit on a card", () => {
    const told = [0, 0.004, 3.14, 9.96, 64, 120, 7_200, 300_000].map(duration);
    expect(told).toEqual(["0 ms", "4 ms", "3.1 s", "10 s", "64 s", "2 min", "2 h", "3 d"]);
  });
  it("have two in the bar", () => {
    expect([3.14, 18, 77, 120, 7_500, 200_000].map(elapsed)).toEqual(["3.1 s", "18 s", "1 min 17 s", "2 min", "2 h 5 min", "2 d 7 h"]);
  });
  it("that are no times are nothing", () => {
    expect([NaN, Infinity, -1].map(duration)).toEqual(["", "", ""]);
  });
});

describe("figures", () => {
  it("are grouped and have units", () => {
    expect(count(1_204_000)).toBe("1\u202f204\u202f000");
    expect([12, 1_500, 2_000_000, 999_999].map(bytes)).toEqual(["12 B", "1.5 kB", "2.0 MB", "1.0 MB"]);
    expect(capital("running")).toBe("Running");
  });
});
