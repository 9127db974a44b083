// What the views of one list share: the page that Python told last, and what was asked of it.

import { Link, type Ask } from "../link";
import { letterTo, type Letter } from "../post";
import type { Model } from "../wire";
import type { ListMessage, Opened, Page, Parts, RequestsPart, RunsPart } from "./wire";

export class ListStore extends Link {
  readonly view: string;
  readonly place: string;
  runs: RunsPart | null = null;
  requests: RequestsPart | null = null;
  opened: Opened = {};
  readonly icons: Record<string, string[]>;
  private number: number;

  constructor(model: Model) {
    super(model);
    const page = model.get("page") as Page;
    this.view = String(model.get("view"));
    this.place = String(model.get("place"));
    this.icons = page.icons;
    this.number = page.number;
    this.skew = Date.now() / 1000 - page.now;
    this.take(page);
  }

  get widgetModel(): Model {
    return this.model;
  }

  /** A message from Python. */
  hear(message: ListMessage): void {
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
        return;
      case "done":
        this.answered(message.id);
        if (message.page) {
          this.number = message.page.number;
          this.take(message.page);
        }
        return;
      case "refused":
        this.refused(message.id, message.message);
    }
  }

  private take({ runs, requests, opened }: Parts): void {
    if (runs) {
      this.runs = runs;
      this.tell("runs");
    }
    if (requests) {
      this.requests = requests;
      this.tell("requests");
    }
    if (opened) {
      this.opened = opened;
      this.tell("opened");
    }
  }

  /** An answer goes to the run that asked. */
  override ask(what: Ask): void {
    const run = typeof what["approval"] === "string" ? this.requests?.open[what["approval"]]?.run : undefined;
    super.ask(run === undefined ? what : { ...what, run });
  }

  protected override letter(what: Ask): Letter | null {
    return typeof what["run"] === "string" ? letterTo(this.place, what["run"], what) : null;
  }

  find(part: "runs" | "requests", wanted: Omit<Ask, "ask">): void {
    this.ask({ ask: "find", part, ...wanted });
  }
}
