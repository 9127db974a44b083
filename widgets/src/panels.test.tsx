// @vitest-environment happy-dom
import { act, cleanup, fireEvent } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { EdgePanel } from "./EdgePanel";
import { NodePanel } from "./NodePanel";
import { Timeline } from "./Timeline";
import { Variables } from "./Variables";
import { beside, edgeOf, sibling } from "./keys";
import { bar, fake, route, scene, show, spot } from "./fake";

afterEach(cleanup);

it("shows the data on the edge that was chosen, and why there are none", () => {
  const { store, asked, news } = fake();
  const page = show(store, <EdgePanel />);
  expect(page.textContent).toBe("");
  act(() => store.selectEdge("load->total"));
  expect(asked.at(-1)).toMatchObject({ ask: "look", node: null, edge: "load->total" });
  const told = { edge: "load->total", source: "load", target: "total", kind: "data" } as const;
  act(() => news({ edge_detail: { ...told, state: "dead", why: "load failed; so nothing comes this way.", condition: "x > 1", verdict: false } }));
  expect(page.textContent).toContain("Load failed; so nothing comes this way.");
  expect(page.textContent).toContain("x > 1");
  act(() => news({ edge_detail: { ...told, state: "live", why: "load completed.", value: { kind: "scalar", type: "int", text: "42" } } }));
  expect(page.textContent).toContain("42");
  act(() => store.select("load"));
  expect(page.textContent).toBe("");
});

it("lists variables, hides secrets, and keeps what was typed where it is refused", () => {
  const { store, asked, news, refuse } = fake();
  const page = show(store, <Variables />);
  expect(asked.at(-1)).toMatchObject({ ask: "variables" });
  const rate = { name: "rate", type: "number", text: "1.5", by: "load", at: 100 };
  act(() => news({ variables: [rate, { name: "token", type: "string", secret: true, text: "••••••" }] }));
  expect(page.querySelector("[data-variable='rate']")?.textContent).toContain("load, ");
  fireEvent.click(page.querySelector("[aria-label='Change token']") as Element);
  expect((page.querySelector("[aria-label='Value of token']") as HTMLInputElement).value).toBe("");
  fireEvent.click(page.querySelector("[aria-label='Change rate']") as Element);
  const field = page.querySelector("[aria-label='Value of rate']") as HTMLInputElement;
  fireEvent.change(field, { target: { value: "twelve" } });
  fireEvent.keyDown(field, { key: "Enter" });
  expect(asked.at(-1)).toMatchObject({ ask: "set", name: "rate", text: "twelve" });
  act(() => refuse("it must be number"));
  expect(page.textContent).toContain("it must be number");
  expect(field.value).toBe("twelve");
});

it("takes an output into the notebook and says what it did", () => {
  const { store, asked, news, answer } = fake({ nodes: { load: { status: "completed", look: "completed", text: "" } } });
  const page = show(store, <NodePanel />);
  act(() => store.select("load"));
  act(() => news({ detail: { key: "load", path: "load", type: "python", status: "completed", why: "it ran", output: { kind: "scalar", type: "int", text: "1" } } }));
  fireEvent.click(page.querySelector("[data-action='take']") as Element);
  expect(asked.at(-1)).toMatchObject({ ask: "take", node: "load" });
  act(() => answer({ took: "load = int" }));
  expect(page.textContent).toContain("load = int");
});

it("draws what is expected of nodes that have not ended", () => {
  const now = Date.now() / 1000;
  const { store } = fake({ bar: { ...bar, started: now }, nodes: { load: { status: "running", look: "running", text: "", started: now } }, expected: { seconds: 9, nodes: { load: 5, total: 4 } } });
  const page = show(store, <Timeline />);
  expect(page.querySelectorAll(".row")).toHaveLength(2);
  expect(page.querySelectorAll(".ghost")).toHaveLength(2);
  expect(page.textContent).toContain("about 4.0 s");
});

it("walks edges and cards by keyboard", () => {
  const drawn = scene({ cards: [spot("a"), spot("b", { y: 100 }), spot("c", { x: 300 })], routes: [route("a", "c"), route("b", "c"), route("a", "b")] });
  expect(edgeOf(drawn, "a")?.edge).toBe("a->c");
  expect(edgeOf(drawn, "c")?.edge).toBe("a->c");
  expect(sibling(drawn, drawn.routes[0] as never, 1).edge).toBe("b->c");
  expect(sibling(drawn, drawn.routes[0] as never, -1).edge).toBe("a->b");
  expect(beside(drawn, "a", 1)).toBe("b");
});
