// @vitest-environment happy-dom
import { act, cleanup, fireEvent } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { Card } from "./Card";
import { bar, fake, show, spot } from "./fake";

afterEach(cleanup);

it("says how its node stands, and only what is new is drawn anew", () => {
  const { store, news } = fake();
  const page = show(store, <Card spot={spot("load")} />);
  const card = page.querySelector("[data-flownb-node='load']");
  expect(card?.getAttribute("data-status")).toBe("pending");
  act(() => news({ nodes: { load: { status: "completed", look: "completed", text: "3 items", started: 1, finished: 4.1 } } }));
  expect(card?.getAttribute("data-status")).toBe("completed");
  expect(card?.textContent).toContain("3 items");
  expect(card?.textContent).toContain("3.1 s");
});

it("shows hostile names as text", () => {
  const { store } = fake();
  const page = show(store, <Card spot={spot("load", { title: "<img src=x onerror=alert(1)>" })} />);
  expect(page.querySelector("img")).toBeNull();
  expect(page.textContent).toContain("<img src=x");
});

it("opens its panel by a click, and halts by a click on its corner", () => {
  const { store, asked, news } = fake();
  const page = show(store, <Card spot={spot("load")} />);
  fireEvent.click(page.querySelector("[data-flownb-node]") as Element);
  expect(asked.at(-1)).toMatchObject({ ask: "look", node: "load" });
  const halt = page.querySelector("[data-breakpoint]") as Element;
  fireEvent.click(halt);
  expect(asked.at(-1)).toMatchObject({ ask: "breakpoint", node: "load", on: true });
  act(() => news({ bar: { ...bar, breakpoints: ["load"] } }));
  expect(halt.getAttribute("data-on")).toBe("true");
  fireEvent.click(halt);
  expect(asked.at(-1)).toMatchObject({ ask: "breakpoint", node: "load", on: false });
});
