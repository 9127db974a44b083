// @vitest-environment happy-dom
import { act, cleanup, fireEvent } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Journal } from "./Journal";
import { bar, fake, show, type Fake } from "./fake";
import { PAGE } from "./link";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const moment = { bar: { ...bar, done: 0, seq: 3 }, nodes: { load: { status: "running", look: "running", text: "Running" } as const }, edges: {}, questions: {} };

function past({ asked }: Fake): (number | null)[] {
  return asked.filter((each) => each["ask"] === "past").map((each) => each["seq"] as number | null);
}

it("asks for ten moments a second at most, and for the last that was wanted always", () => {
  const run = fake();
  const page = show(run.store, <Journal />);
  const slider = page.querySelector("input") as HTMLInputElement;
  for (let each = 0; each < 50; each += 1) {
    fireEvent.change(slider, { target: { value: String(each % 8) } });
    act(() => void vi.advanceTimersByTime(10));
  }
  act(() => void vi.advanceTimersByTime(200));
  expect(past(run).length).toBeLessThanOrEqual(7);
  expect(past(run).at(-1)).toBe(49 % 8);
});

it("shows the moment that came, while the present goes on beneath, and comes back to it", () => {
  const run = fake();
  const page = show(run.store, <Journal />);
  fireEvent.change(page.querySelector("input") as Element, { target: { value: "3" } });
  act(() => void vi.advanceTimersByTime(200));
  act(() => run.news({ past: { page: PAGE, seq: 3, last: 8, at: 103, moment } }));
  expect(run.store.nodes["load"]?.status).toBe("running");
  expect(run.store.now()).toBe(103);
  act(() => run.news({ bar: { ...bar, seq: 12 }, nodes: { load: { status: "completed", look: "completed", text: "1" } } }));
  expect(run.store.nodes["load"]?.status).toBe("running");
  expect(page.textContent).toContain("event 3 of 12");
  fireEvent.click(page.querySelector("[data-journal='now']") as Element);
  expect(run.store.nodes["load"]?.status).toBe("completed");
  expect(past(run).at(-1)).toBeNull();
  expect(page.textContent).toContain("event 12 of 12");
});

it("takes no moment that another page wanted, and says how far a long journal has been read", () => {
  const run = fake();
  const page = show(run.store, <Journal />);
  fireEvent.change(page.querySelector("input") as Element, { target: { value: "3" } });
  act(() => void vi.advanceTimersByTime(200));
  act(() => run.news({ past: { page: "another", seq: 5, last: 8, at: 1, moment } }));
  expect(run.store.place?.seq).toBeNull();
  act(() => run.news({ past: { page: PAGE, seq: 3, last: 8, read: 2 } }));
  expect(page.textContent).toContain("reading, 2 of 8");
});

it("goes back to now by End and Escape", () => {
  const run = fake();
  const page = show(run.store, <Journal />);
  const slider = page.querySelector("input") as HTMLInputElement;
  for (const key of ["End", "Escape"]) {
    fireEvent.change(slider, { target: { value: "3" } });
    expect(run.store.place?.wanted).toBe(3);
    fireEvent.keyDown(slider, { key });
    expect(run.store.place).toBeNull();
  }
});
