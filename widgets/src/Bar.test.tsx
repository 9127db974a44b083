// @vitest-environment happy-dom
import { act, cleanup, fireEvent } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { Bar, ofAbout } from "./Bar";
import { bar, fake, show } from "./fake";

afterEach(cleanup);

it("offers what can be asked of a run that stands so", () => {
  const { store, asked, news } = fake();
  const page = show(store, <Bar />);
  const actions = (): (string | null)[] => [...page.querySelectorAll("[data-action]")].map((each) => each.getAttribute("data-action"));
  expect(actions()).toEqual(["pause", "step", "cancel"]);
  fireEvent.click(page.querySelector("[data-action='pause']") as Element);
  expect(asked.at(-1)).toMatchObject({ ask: "pause" });
  act(() => news({ bar: { ...bar, status: "paused", reason: "breakpoint" } }));
  expect(actions()).toEqual(["resume", "step", "cancel"]);
  act(() => news({ bar: { ...bar, status: "paused", reason: "human", asked: 2 } }));
  expect(actions()).toEqual(["cancel"]);
  expect(page.textContent).toContain("2 questions wait for you");
  act(() => news({ bar: { ...bar, status: "completed", finished: 118 } }));
  expect(actions()).toEqual([]);
  expect(page.textContent).toContain("18 s");
});

it("says what earlier runs took, and nothing where that is unknown or long over", () => {
  expect(ofAbout(18, 77)).toBe("1 min 17 s");
  expect(ofAbout(18, undefined)).toBeNull();
  expect(ofAbout(200, 77)).toBeNull();
  expect(ofAbout(0.1, 0.2)).toBeNull();
});

it("asks nothing of a run in the past, and says why", () => {
  const { store, asked } = fake();
  const page = show(store, <Bar />);
  act(() => store.lookBack(3));
  const pause = page.querySelector("[data-action='pause']") as HTMLButtonElement;
  expect(pause.disabled).toBe(true);
  expect(pause.title).toContain("go back to now");
  store.ask({ ask: "pause" });
  expect(asked.some((each) => each["ask"] === "pause")).toBe(false);
  expect(store.refusal?.message).toContain("go back to now");
});
