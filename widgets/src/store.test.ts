import { beforeEach, describe, expect, it, vi } from "vitest";
import { Store } from "./store";
import type { Bar, Message, Model, Moment, NodeRecord } from "./wire";

const bar: Bar = {
  id: "r1", status: "running", reason: "", message: "", done: 0, total: 1, kept: 0, started: 1, finished: null, failed: [], failures: 0,
  error: null, error_node: null, asked: 0, breakpoints: [], seq: 1,
};
const pending: NodeRecord = { status: "pending", look: "pending", text: "Pending" };
const done: NodeRecord = { status: "completed", look: "completed", text: "Completed" };

let sent: { id: string; ask: string }[] = [];

function model(): Model {
  const moment: Moment = { number: 4, now: Date.now() / 1000, bar, nodes: { a: pending }, edges: {}, questions: {} };
  const scene = { name: "shop", width: 1, height: 1, compact: false, icons: {}, cards: [], boxes: [], routes: [] };
  const traits: Record<string, unknown> = { moment, scene };
  return { get: (name) => traits[name], send: (content) => sent.push(content as never), on: () => undefined, off: () => undefined };
}

const news = (number: number, nodes: Record<string, NodeRecord>): Message => ({ kind: "news", number, now: Date.now() / 1000, nodes });

describe("the store", () => {
  beforeEach(() => {
    sent = [];
    vi.useFakeTimers();
  });

  it("takes news in order and tells only those whom it concerns", () => {
    const store = new Store(model());
    const heard: string[] = [];
    store.listen("node a", () => heard.push("a"));
    store.listen("node b", () => heard.push("b"));
    store.hear(news(5, { a: done }));
    expect(store.nodes["a"]).toEqual(done);
    expect(heard).toEqual(["a"]);
  });

  it("asks for the whole when it missed something, and forgets what is old", () => {
    const store = new Store(model());
    store.hear(news(7, { a: done }));
    expect(store.nodes["a"]).toEqual(pending);
    expect(sent.map((each) => each.ask)).toEqual(["whole"]);
    store.hear(news(3, { a: done }));
    expect(sent).toHaveLength(1);
    const id = sent[0]?.id ?? "";
    store.hear({ kind: "done", id, moment: { number: 7, now: 0, bar, nodes: { a: done }, edges: {}, questions: {} } });
    expect(store.nodes["a"]).toEqual(done);
    store.hear(news(8, { a: pending }));
    expect(store.nodes["a"]).toEqual(pending);
  });

  it("says that the kernel is busy when it keeps silent, until it answers", () => {
    const store = new Store(model());
    store.ask({ ask: "pause" });
    vi.advanceTimersByTime(900);
    expect(store.silent).toBeNull();
    vi.advanceTimersByTime(200);
    expect(store.silent).toBe("pause");
    store.hear({ kind: "done", id: sent[0]?.id ?? "" });
    expect(store.silent).toBeNull();
  });

  it("shows what was refused until it is closed", () => {
    const store = new Store(model());
    store.ask({ ask: "pause" });
    store.hear({ kind: "refused", id: "of another page", message: "No." });
    expect(store.refusal).toBeNull();
    store.hear({ kind: "refused", id: sent[0]?.id ?? "", message: "Run r1 is completed." });
    expect(store.refusal?.message).toBe("Run r1 is completed.");
    store.dismiss();
    expect(store.refusal).toBeNull();
  });
});
