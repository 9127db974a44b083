import { beforeEach, describe, expect, it, vi } from "vitest";
import { ListStore } from "./lists/store";
import { letterTo, post } from "./post";
import type { Model } from "./wire";

const PLACE = "sqlite:////home/ada/.flownb/flownb.db";
const page = { number: 1, now: 0, icons: {}, opened: {}, requests: { open: { a1: { run: "r1" } } } };

let sent: { id: string; ask: string; run?: string }[] = [];
let posted: Request[] = [];
let answer: () => unknown;

function model(): Model {
  const traits: Record<string, unknown> = { page, view: "inbox", place: PLACE };
  const fetched = (request: Request) => {
    posted.push(request);
    return Promise.resolve({ json: () => Promise.resolve(answer()) });
  };
  const serverSettings = { baseUrl: "http://127.0.0.1:8888/user/ada/", token: "t1", init: {}, fetch: fetched, Request };
  return {
    get: (name) => traits[name],
    send: (content) => sent.push(content as never),
    on: () => undefined,
    off: () => undefined,
    widget_manager: { kernel: { serverSettings } },
  };
}

describe("a click that the kernel does not acknowledge", () => {
  beforeEach(() => {
    sent = [];
    posted = [];
    answer = () => ({ success: true });
    vi.useFakeTimers();
    vi.stubGlobal("document", { cookie: "a=b; _xsrf=x1" });
  });

  const decide = { ask: "decide", approval: "a1", port: "approved", comment: "fine" };

  it("goes by POST to the run that asked, under the id that the kernel got", async () => {
    const store = new ListStore(model());
    store.ask(decide);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(posted).toHaveLength(1);
    const request = posted[0] as Request;
    expect(request.url).toBe("http://127.0.0.1:8888/user/ada/flownb/api/runs/r1/approve");
    expect(request.headers.get("Authorization")).toBe("token t1");
    expect(request.headers.get("X-XSRFToken")).toBe("x1");
    expect(await request.json()).toMatchObject({ id: sent[0]?.id, approval: "a1", port: "approved", comment: "fine", store: PLACE });
    expect(store.busy).toBe(false);
    expect(store.silent).toBeNull();
  });

  it("is not told twice: what the kernel says late is no news", async () => {
    const store = new ListStore(model());
    store.ask(decide);
    await vi.advanceTimersByTimeAsync(1_100);
    store.hear({ kind: "refused", id: sent[0]?.id ?? "", message: "It was answered by ada." });
    expect(store.refusal).toBeNull();
  });

  it("does not go where the kernel answers in time", async () => {
    const store = new ListStore(model());
    store.ask(decide);
    store.hear({ kind: "done", id: sent[0]?.id ?? "" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(posted).toEqual([]);
  });

  it("shows why it was not taken", async () => {
    answer = () => ({ success: false, error: "Conflict", message: "It was answered by bob." });
    const store = new ListStore(model());
    store.ask(decide);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(store.refusal?.message).toBe("It was answered by bob.");
  });

  it.each([
    ["another server answers", () => ({ message: "Not Found" })],
    ["the server does not know the store", () => ({ success: false, error: "UnknownStore", message: "no" })],
    ["no server answers", () => { throw new TypeError("Failed to fetch"); }],
  ])("is said to wait where %s", async (_, said) => {
    answer = said;
    const store = new ListStore(model());
    store.ask(decide);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(store.silent).toBe("decide");
  });

  it("has no second way where only the kernel can answer", () => {
    expect(letterTo(PLACE, "r1", { ask: "look", node: "a" })).toBeNull();
    expect(letterTo("memory:", "r1", { ask: "pause" })).toBeNull();
    expect(letterTo(PLACE, "r 1/..", { ask: "retry", node: "a" })?.path).toBe("runs/r%201%2F../retry");
  });

  it("has no second way where there is no server", async () => {
    const lonely: Model = { get: () => null, send: () => undefined, on: () => undefined, off: () => undefined };
    expect(await post(lonely, { path: "runs/r1/pause", body: {} })).toBeNull();
  });
});
