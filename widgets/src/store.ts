// What the views of one run share: the last that Python said, and who wants to hear when it changes.

import type { Bar, Detail, EdgeState, EventLine, Message, Model, Moment, News, NodeRecord, Question, Scene } from "./wire";
import { Link } from "./link";

export class Store extends Link {
  scene: Scene;
  bar: Bar;
  nodes: Record<string, NodeRecord>;
  edges: Record<string, EdgeState>;
  questions: Record<string, Question>;
  detail: Detail | null = null;
  selected: string | null;
  events: EventLine[] = [];
  /** Whether the graph is drawn; not where something else draws it above. */
  readonly canvas: boolean;
  private number: number;

  constructor(model: Model) {
    super(model);
    this.canvas = model.get("canvas") !== false;
    const moment = model.get("moment") as Moment;
    this.scene = model.get("scene") as Scene;
    this.bar = moment.bar;
    this.nodes = moment.nodes;
    this.edges = moment.edges;
    this.questions = moment.questions;
    this.number = moment.number;
    this.selected = moment.selected ?? null;
    this.skew = Date.now() / 1000 - moment.now;
  }

  get icons(): Record<string, string[]> {
    return this.scene.icons;
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

  select(key: string | null): void {
    if (key === this.selected) return;
    this.selected = key;
    this.detail = null;
    this.tell("selected");
    this.tell("detail");
    if (!this.gone) this.ask({ ask: "look", node: key });
  }
}
