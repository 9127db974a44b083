// A run as the Python half tells it, for the tests of components: what they ask of it is kept.

import type { ReactNode } from "react";
import { render } from "@testing-library/react";
import { Store } from "./store";
import { StoreContext } from "./use";
import type { Bar, Message, Model, Moment, News, Question, Route, Scene, Spot } from "./wire";

export const bar: Bar = {
  id: "r1", status: "running", reason: "", message: "", done: 1, total: 2, kept: 1, started: 100, finished: null, failed: [], failures: 0,
  error: null, error_node: null, asked: 0, breakpoints: [], seq: 8,
};

export function spot(key: string, more: Partial<Spot> = {}): Spot {
  return { key, id: key, title: key, type: "python", parent: null, icon: "code", family: "code", x: 0, y: 0, width: 220, height: 56, ports: [], ...more };
}

export function route(source: string, target: string): Route {
  return { edge: `${source}->${target}`, source, target, kind: "data", points: [[0, 0], [10, 0]], implied: false };
}

export function scene(more: Partial<Scene> = {}): Scene {
  const cards = [spot("load"), spot("total", { x: 300 })];
  return { name: "shop", width: 520, height: 56, compact: false, icons: {}, cards, boxes: [], routes: [route("load", "total")], ...more };
}

export const question: Question = {
  id: "q1", node: "ok", kind: "confirmation", status: "pending", question: "Post?", details: "", ports: ["approved", "rejected"],
  previews: [], fields: [], edits: false, approvers: ["anna"], needed: 1, votes: [], asked: 100, expires: null,
};

export interface Fake {
  store: Store;
  /** What was asked, newest last. */
  asked: Record<string, unknown>[];
  /** The Python half says what is new. */
  news: (news: Partial<News>) => void;
  answer: (message: Omit<Extract<Message, { kind: "done" }>, "kind" | "id">) => void;
  refuse: (message: string) => void;
}

export function fake(moment: Partial<Moment> = {}, drawn: Scene = scene()): Fake {
  const asked: Record<string, unknown>[] = [];
  let number = 0;
  const whole: Moment = { number, now: Date.now() / 1000, bar, nodes: {}, edges: {}, questions: {}, ...moment };
  const traits: Record<string, unknown> = { moment: whole, scene: drawn };
  const model: Model = {
    get: (name) => traits[name],
    send: (content) => asked.push(content as Record<string, unknown>),
    on: () => undefined,
    off: () => undefined,
  };
  const store = new Store(model);
  const last = (): string => String(asked.at(-1)?.["id"]);
  return {
    store,
    asked,
    news: (news) => store.hear({ kind: "news", number: ++number, now: Date.now() / 1000, ...news }),
    answer: (message) => store.hear({ kind: "done", id: last(), ...message }),
    refuse: (message) => store.hear({ kind: "refused", id: last(), message }),
  };
}

export function show(store: Store, what: ReactNode): HTMLElement {
  return render(<StoreContext.Provider value={store}>{what}</StoreContext.Provider>).container;
}
