// What the views of one run share: the last that Python said, and who wants to hear when it changes.

import type { Bar, Detail, EdgeState, EventLine, Message, Model, Moment, News, NodeRecord, Question, Scene } from "./wire";
import { watchKernel } from "./kernel";

/** How long a busy kernel may keep silent before the view says so. */
const PATIENCE = 1_000;

export interface Refusal {
  message: string;
}

export interface Ask {
  ask: string;
  node?: string | null;
  on?: boolean;
  index?: number | null;
  after?: number;
  approval?: string;
  port?: string;
  data?: unknown;
  comment?: string;
}

export class Store {
  scene: Scene;
  bar: Bar;
  nodes: Record<string, NodeRecord>;
  edges: Record<string, EdgeState>;
  questions: Record<string, Question>;
  detail: Detail | null = null;
  selected: string | null;
  events: EventLine[] = [];
  /** The kernel is gone: what is shown is the last that was known. */
  gone = false;
  /** A command that the kernel has not acknowledged. */
  silent: string | null = null;
  refusal: Refusal | null = null;
  /** How far this machine's clock is ahead of the kernel's, in seconds. */
  private skew = 0;
  private number: number;
  private asked = 0;
  private waiting = new Map<number, { timer: ReturnType<typeof setTimeout>; ask: string }>();
  private listeners = new Map<string, Set<() => void>>();
  private stopKernel: () => void;

  constructor(private readonly model: Model) {
    const moment = model.get("moment") as Moment;
    this.scene = model.get("scene") as Scene;
    this.bar = moment.bar;
    this.nodes = moment.nodes;
    this.edges = moment.edges;
    this.questions = moment.questions;
    this.number = moment.number;
    this.selected = moment.selected ?? null;
    this.skew = Date.now() / 1000 - moment.now;
    this.stopKernel = watchKernel(model, (gone) => this.lose(gone));
  }

  /** A message from Python. */
  hear(message: Message): void {
    switch (message.kind) {
      case "news":
        if (message.number !== this.number + 1) {
          if (message.number > this.number) this.ask({ ask: "whole" });
          return;
        }
        this.number = message.number;
        this.skew = Date.now() / 1000 - message.now;
        this.lose(false);
        this.take(message);
        if (message.detail && message.detail.key === this.selected) {
          this.detail = message.detail;
          this.tell("detail");
        }
        return;
      case "done":
        this.answered(message.id);
        if (message.scene) this.redraw(message.scene);
        if (message.moment) {
          this.number = message.moment.number;
          this.take(message.moment);
        }
        if (message.events) this.append(message.events);
        return;
      case "refused":
        this.answered(message.id);
        this.refusal = { message: message.message };
        this.tell("notice");
        return;
      case "scene":
        this.redraw(message.scene);
    }
  }

  private take({ bar, nodes, edges, questions }: Pick<News, "bar" | "nodes" | "edges" | "questions">): void {
    if (bar) {
      this.bar = bar;
      this.tell("bar");
    }
    if (nodes) {
      this.nodes = { ...this.nodes, ...nodes };
      for (const key of Object.keys(nodes)) this.tell(`node ${key}`);
      this.tell("nodes");
    }
    if (questions) {
      this.questions = { ...this.questions, ...questions };
      this.tell("questions");
    }
    if (edges) {
      this.edges = { ...this.edges, ...edges };
      for (const key of Object.keys(edges)) this.tell(`edge ${key}`);
    }
  }

  private redraw(scene: Scene): void {
    this.scene = scene;
    this.tell("scene");
  }

  private append(lines: EventLine[]): void {
    const last = this.events.at(-1)?.seq ?? 0;
    const fresh = lines.filter((line) => line.seq > last);
    if (fresh.length) {
      this.events = [...this.events, ...fresh].slice(-1_000);
      this.tell("events");
    }
  }

  /** Ask something of the run; what comes of it arrives as news. */
  ask(what: Ask): void {
    const id = ++this.asked;
    const timer = setTimeout(() => {
      this.silent = what.ask;
      this.tell("notice");
    }, PATIENCE);
    this.waiting.set(id, { timer, ask: what.ask });
    this.model.send({ id, ...what });
    this.tell("bar");
  }

  private answered(id: number): void {
    const waited = this.waiting.get(id);
    if (waited) clearTimeout(waited.timer);
    this.waiting.delete(id);
    this.tell("bar");
    if (this.silent !== null) {
      this.silent = null;
      this.tell("notice");
    }
  }

  /** Whether the kernel has yet to say that it took what was asked. */
  get busy(): boolean {
    return this.waiting.size > 0;
  }

  dismiss(): void {
    this.refusal = null;
    this.tell("notice");
  }

  select(key: string | null): void {
    if (key === this.selected) return;
    this.selected = key;
    this.detail = null;
    this.tell("selected");
    this.tell("detail");
    if (!this.gone) this.ask({ ask: "look", node: key });
  }

  private lose(gone: boolean): void {
    if (gone === this.gone) return;
    this.gone = gone;
    if (gone) {
      for (const each of this.waiting.values()) clearTimeout(each.timer);
      this.waiting.clear();
      this.silent = null;
    }
    this.tell("notice");
    this.tell("bar");
  }

  /** The kernel's clock, in seconds since 1970. */
  now(): number {
    return Date.now() / 1000 - this.skew;
  }

  /** Be told when a part changes: `bar`, `scene`, `nodes`, `node KEY`, `edge ID`, `detail`, `selected`, `events`, `notice`. */
  listen(part: string, listener: () => void): () => void {
    const found = this.listeners.get(part) ?? new Set();
    this.listeners.set(part, found);
    found.add(listener);
    return () => found.delete(listener);
  }

  private tell(part: string): void {
    for (const listener of this.listeners.get(part) ?? []) listener();
  }

  close(): void {
    this.stopKernel();
    for (const each of this.waiting.values()) clearTimeout(each.timer);
    this.waiting.clear();
  }
}
