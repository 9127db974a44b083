// What the views of one run share: the last that Python said, and who wants to hear when it changes.

import type { Bar, Detail, EdgeState, EventLine, Message, Model, Moment, News, NodeRecord, PastMoment, Question, Scene } from "./wire";
import { watchKernel } from "./kernel";

/** How long a busy kernel may keep silent before the view says so. */
const PATIENCE = 1_000;

export interface Refusal {
  message: string;
}

/** What changes while a run works, as it is shown: the present, or a moment of the journal. */
export interface Shown {
  bar: Bar;
  nodes: Record<string, NodeRecord>;
  edges: Record<string, EdgeState>;
  questions: Record<string, Question>;
  detail: Detail | null;
  /** When it was, where it is not now. */
  at?: number | null;
}

/** Where in the journal the view looks. */
export interface Place {
  /** The event that was asked for. */
  wanted: number;
  /** The event whose moment is shown; null before the first has come. */
  seq: number | null;
  /** How far the journal has been read for it; null when it is there. */
  read: number | null;
}

export interface Ask {
  ask: string;
  node?: string | null;
  on?: boolean;
  index?: number | null;
  after?: number;
  until?: number;
  approval?: string;
  port?: string;
  data?: unknown;
  comment?: string;
  page?: string;
  seq?: number | null;
}

/** What only looks; everything else is a command. */
const LOOKS = new Set(["look", "round", "past", "events", "whole"]);
/** Between two moments that are asked for while the slider is dragged. */
const BETWEEN = 100;

export class Store {
  scene: Scene;
  private present: Shown;
  private then: Shown | null = null;
  /** Where in the journal the view looks; null in the present. */
  place: Place | null = null;
  selected: string | null;
  events: EventLine[] = [];
  /** The last events before the moment that is shown. */
  eventsThen: EventLine[] = [];
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
    this.present = { bar: moment.bar, nodes: moment.nodes, edges: moment.edges, questions: moment.questions, detail: null };
    this.number = moment.number;
    this.selected = moment.selected ?? null;
    this.skew = Date.now() / 1000 - moment.now;
    this.stopKernel = watchKernel(model, (gone) => this.lose(gone));
  }

  private get shown(): Shown {
    return this.then ?? this.present;
  }
  get bar(): Bar {
    return this.shown.bar;
  }
  get nodes(): Record<string, NodeRecord> {
    return this.shown.nodes;
  }
  get edges(): Record<string, EdgeState> {
    return this.shown.edges;
  }
  get questions(): Record<string, Question> {
    return this.shown.questions;
  }
  get detail(): Detail | null {
    return this.shown.detail;
  }
  /** How many events the journal has, wherever the view looks. */
  get last(): number {
    return this.present.bar.seq;
  }

  /** Why nothing can be asked of the run from here; null where it can. */
  get barred(): string | null {
    if (this.gone) return "The kernel is gone.";
    return this.place ? `This is the run after event ${this.place.seq ?? this.place.wanted}; go back to now to ask something of it.` : null;
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
          this.present.detail = message.detail;
          if (!this.then) this.tell("detail");
        }
        if (message.past && message.past.page === this.page) this.arrive(message.past);
        return;
      case "done":
        this.answered(message.id);
        if (message.scene) this.redraw(message.scene);
        if (message.moment) {
          this.number = message.moment.number;
          this.take(message.moment);
          if (this.place) this.lookBack(this.place.wanted); // its moment may be what was missed
        }
        if (message.events && message.until !== undefined) {
          this.eventsThen = message.events;
          this.tell("events");
        } else if (message.events) this.append(message.events);
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
    const now = this.present;
    const before = this.shown;
    this.present = {
      bar: bar ?? now.bar,
      nodes: nodes ? { ...now.nodes, ...nodes } : now.nodes,
      edges: edges ? { ...now.edges, ...edges } : now.edges,
      questions: questions ? { ...now.questions, ...questions } : now.questions,
      detail: now.detail,
    };
    if (bar && this.then) this.tell("place");
    this.tellOf(before, nodes, edges);
  }

  /** Tell those whom it concerns that what is shown is another than before. */
  private tellOf(before: Shown, nodes?: object, edges?: object): void {
    const after = this.shown;
    if (after === before) return;
    if (after.bar !== before.bar) {
      this.tell("bar");
      this.tell("place");
    }
    if (after.nodes !== before.nodes) {
      for (const key of Object.keys(nodes ?? { ...before.nodes, ...after.nodes })) {
        if (after.nodes[key] !== before.nodes[key]) this.tell(`node ${key}`);
      }
      this.tell("nodes");
    }
    if (after.questions !== before.questions) this.tell("questions");
    if (after.edges !== before.edges) {
      for (const key of Object.keys(edges ?? { ...before.edges, ...after.edges })) {
        if (after.edges[key] !== before.edges[key]) this.tell(`edge ${key}`);
      }
    }
    if (after.detail !== before.detail) this.tell("detail");
  }

  // --- looking back

  private readonly page = Math.random().toString(36).slice(2);
  private askedAt = 0;
  private later: ReturnType<typeof setTimeout> | null = null;

  /** Show the run as it was after an event; at most ten times a second, and the last that was wanted always. */
  lookBack(seq: number): void {
    if (this.gone) return;
    const wanted = Math.min(Math.max(0, Math.round(seq)), this.last);
    this.place = { wanted, seq: this.place?.seq ?? null, read: this.place?.read ?? null };
    this.tell("place");
    this.tell("bar");
    if (this.later) return;
    const wait = Math.max(0, this.askedAt + BETWEEN - Date.now());
    this.later = setTimeout(() => {
      this.later = null;
      if (!this.place) return;
      this.askedAt = Date.now();
      this.ask({ ask: "past", page: this.page, seq: this.place.wanted, node: this.selected });
    }, wait);
  }

  /** Back to the present. */
  lookNow(): void {
    if (!this.place) return;
    if (this.later) clearTimeout(this.later);
    this.later = null;
    const before = this.shown;
    this.then = null;
    this.place = null;
    if (!this.gone) this.ask({ ask: "past", page: this.page, seq: null });
    this.tellOf(before);
    this.tell("place");
    this.tell("bar");
  }

  private arrive(past: PastMoment): void {
    if (!this.place) return;
    const { moment } = past;
    if (!moment) {
      this.place = { ...this.place, read: past.read ?? null };
      this.tell("place");
      return;
    }
    const before = this.shown;
    this.then = {
      bar: moment.bar,
      nodes: same(before.nodes, moment.nodes),
      edges: moment.edges,
      questions: moment.questions,
      detail: past.detail && past.detail.key === this.selected ? past.detail : null,
      at: past.at ?? null,
    };
    this.place = { ...this.place, seq: past.seq, read: null };
    this.tellOf(before);
    this.tell("place");
    this.tell("bar");
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
    if (!LOOKS.has(what.ask) && this.barred !== null) {
      this.refusal = { message: this.barred };
      this.tell("notice");
      return;
    }
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
    this.present.detail = null;
    if (this.then) this.then.detail = null;
    this.tell("selected");
    this.tell("detail");
    if (this.gone) return;
    this.ask({ ask: "look", node: key });
    if (this.place) this.lookBack(this.place.wanted);
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

  /** Whether nothing moves in what is shown: a moment of the journal, or the last that a kernel said. */
  get still(): boolean {
    return this.gone || this.place !== null;
  }

  /** The kernel's clock, in seconds since 1970; at a moment of the journal, its time. */
  now(): number {
    return this.then?.at ?? Date.now() / 1000 - this.skew;
  }

  /** Be told when a part changes: `bar`, `scene`, `nodes`, `node KEY`, `edge ID`, `detail`, `selected`, `events`, `notice`, `place`. */
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
    if (this.later) clearTimeout(this.later);
    for (const each of this.waiting.values()) clearTimeout(each.timer);
    this.waiting.clear();
  }
}

/** The new records, the old ones in the place of those that say the same. */
function same(before: Record<string, NodeRecord>, after: Record<string, NodeRecord>): Record<string, NodeRecord> {
  return Object.fromEntries(
    Object.entries(after).map(([key, record]) => {
      const known = before[key];
      return [key, known && JSON.stringify(known) === JSON.stringify(record) ? known : record];
    }),
  );
}
