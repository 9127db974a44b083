// What the views of one run share: the last that Python said, and who wants to hear when it changes.

import type { Bar, Detail, EdgeDetail, EdgeState, EventLine, Expected, Message, Model, Moment, News, NodeRecord, PastMoment, Question, Scene, Variable } from "./wire";
import { Link, PAGE, type Ask } from "./link";
import { letterTo, type Letter } from "./post";

/** What changes while a run works, as it is shown: the present, or a moment of the journal. */
export interface Shown {
  bar: Bar;
  nodes: Record<string, NodeRecord>;
  edges: Record<string, EdgeState>;
  questions: Record<string, Question>;
  detail: Detail | null;
  edgeDetail: EdgeDetail | null;
  variables: Variable[] | null;
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

/** What only looks; everything else is a command. */
const LOOKS = new Set(["look", "variables", "take", "editable", "round", "past", "events", "whole"]);
/** Between two moments that are asked for while the slider is dragged. */
const BETWEEN = 100;

const NO_PANELS = { detail: null, edgeDetail: null, variables: null };

export class Store extends Link {
  scene: Scene;
  private present: Shown;
  private then: Shown | null = null;
  /** Where in the journal the view looks; null in the present. */
  place: Place | null = null;
  /** The card, or the edge, whose panel is open. */
  selected: string | null;
  edge: string | null;
  /** What earlier runs took. */
  expected: Expected;
  /** What was last taken into the notebook's namespace, and of which card. */
  took: { key: string; text: string } | null = null;
  events: EventLine[] = [];
  /** Whether the graph is drawn; not where something else draws it above. */
  readonly canvas: boolean;
  /** The last events before the moment that is shown. */
  eventsThen: EventLine[] = [];
  private number: number;

  constructor(model: Model) {
    super(model);
    this.canvas = model.get("canvas") !== false;
    const moment = model.get("moment") as Moment;
    this.scene = model.get("scene") as Scene;
    this.present = { bar: moment.bar, nodes: moment.nodes, edges: moment.edges, questions: moment.questions, ...NO_PANELS };
    this.number = moment.number;
    this.selected = moment.selected ?? null;
    this.edge = moment.edge ?? null;
    this.expected = moment.expected ?? {};
    this.skew = Date.now() / 1000 - moment.now;
  }

  get icons(): Record<string, string[]> {
    return this.scene.icons;
  }

  /** What was open before the page was loaded anew is fetched again. */
  begin(): void {
    if (this.selected !== null || this.edge !== null) this.ask({ ask: "look", node: this.selected, edge: this.edge });
  }

  override get edits(): boolean {
    return true;
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
  get edgeDetail(): EdgeDetail | null {
    return this.shown.edgeDetail;
  }
  get variables(): Variable[] | null {
    return this.shown.variables;
  }
  /** How many events the journal has, wherever the view looks. */
  get last(): number {
    return this.present.bar.seq;
  }

  /** Why nothing can be asked of the run from here; null where it can. */
  override get barred(): string | null {
    if (this.gone) return super.barred;
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
        if (message.edge_detail !== undefined && message.edge_detail?.edge === this.edge) {
          this.present.edgeDetail = message.edge_detail;
          if (!this.then) this.tell("detail");
        }
        if (message.variables) {
          this.present.variables = message.variables;
          if (!this.then) this.tell("variables");
        }
        if (message.expected) {
          this.expected = message.expected;
          this.tell("bar");
        }
        if (message.past && message.past.page === PAGE) this.arrive(message.past);
        return;
      case "done":
        this.answered(message.id);
        if (message.editable) {
          this.editables = { ...this.editables, [message.editable.approval]: message.editable };
          this.tell("editable");
        }
        if (message.took !== undefined && this.taking) {
          this.took = { key: this.taking, text: message.took };
          this.tell("detail");
        }
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
        this.refused(message.id, message.message);
        return;
      case "scene":
        this.redraw(message.scene);
        return;
      case "select":
        this.select(message.key);
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
      edgeDetail: now.edgeDetail,
      variables: now.variables,
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
      this.tell("edges");
    }
    if (after.detail !== before.detail || after.edgeDetail !== before.edgeDetail) this.tell("detail");
    if (after.variables !== before.variables) this.tell("variables");
  }

  // --- looking back

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
      this.ask({ ask: "past", page: PAGE, seq: this.place.wanted, node: this.selected, edge: this.edge, variables: this.listing });
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
    if (!this.gone) this.ask({ ask: "past", page: PAGE, seq: null });
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
      edgeDetail: past.edge_detail && past.edge_detail.edge === this.edge ? past.edge_detail : null,
      variables: past.variables ?? null,
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

  protected override letter(what: Ask): Letter | null {
    return letterTo(String(this.model.get("place") ?? ""), this.present.bar.id, what);
  }

  /** What only looks goes to the kernel from everywhere, what changes something from the present. */
  override ask(what: Ask): void {
    if (LOOKS.has(what.ask) || this.barred === null) {
      super.ask(what);
      return;
    }
    this.refusal = { message: this.barred };
    this.tell("notice");
  }

  /** Open the panel of a card; null closes whatever is open. */
  select(key: string | null): void {
    if (key !== this.selected || this.edge !== null) this.open(key, null);
  }

  /** Open the panel of an edge. */
  selectEdge(id: string): void {
    if (id !== this.edge) this.open(null, id);
  }

  private open(key: string | null, edge: string | null): void {
    const before = this.edge;
    this.selected = key;
    this.edge = edge;
    for (const shown of [this.present, this.then]) if (shown) Object.assign(shown, { detail: null, edgeDetail: null });
    this.tell("selected");
    for (const id of [before, edge]) if (id !== null) this.tell(`edge ${id}`);
    this.tell("detail");
    if (this.gone) return;
    this.ask({ ask: "look", node: key, edge });
    if (this.place) this.lookBack(this.place.wanted);
  }

  private taking: string | null = null;

  /** Take the output of a node into the notebook's namespace. */
  takeOut(key: string, path: string): void {
    this.taking = key;
    this.ask({ ask: "take", node: path });
  }

  private listing = false;

  /** Whether the variables are shown, so that they come with what is new. */
  list(on: boolean): void {
    this.listing = on;
    if (!on || this.gone) return;
    this.ask({ ask: "variables" });
    if (this.place) this.lookBack(this.place.wanted);
  }

  /** Whether nothing moves in what is shown: a moment of the journal, or the last that a kernel said. */
  get still(): boolean {
    return this.gone || this.place !== null;
  }

  /** The kernel's clock, in seconds since 1970; at a moment of the journal, its time. */
  override now(): number {
    return this.then?.at ?? super.now();
  }

  override close(): void {
    if (this.later) clearTimeout(this.later);
    super.close();
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
