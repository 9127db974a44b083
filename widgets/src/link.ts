// The line between a model in the page and its Python half: what is asked, what is acknowledged, who hears of changes.

import type { Editable, Model } from "./wire";
import { watchKernel } from "./kernel";
import { post, type Letter } from "./post";

/** How long a busy kernel may keep silent before the view says so. */
export const PATIENCE = 1_000;

export interface Refusal {
  message: string;
  /** What was asked, where the Python half refused it. */
  ask?: string;
}

export interface Ask {
  ask: string;
  [name: string]: unknown;
}

/** Tells the pages of one kernel apart: what one of them asked is no business of the others. */
export const PAGE = [...crypto.getRandomValues(new Uint8Array(8))].map((each) => each.toString(16).padStart(2, "0")).join("");
let asked = 0;

export abstract class Link {
  /** The kernel is gone: what is shown is the last that was known. */
  gone = false;
  /** A command that the kernel has not acknowledged. */
  silent: string | null = null;
  refusal: Refusal | null = null;
  /** The data of questions that may be changed, as fetched, by the question's id. */
  editables: Record<string, Editable> = {};
  /** How far this machine's clock is ahead of the kernel's, in seconds. */
  protected skew = 0;
  private waiting = new Map<string, { timer: ReturnType<typeof setTimeout>; ask: string }>();
  private listeners = new Map<string, Set<() => void>>();
  private stopKernel: () => void;

  constructor(protected readonly model: Model) {
    this.stopKernel = watchKernel(model, (gone) => this.lose(gone));
  }

  /** The strokes of icons by name, as the Python half keeps them. */
  abstract get icons(): Record<string, string[]>;

  /** Whether the data of questions can be fetched here, to be changed. */
  get edits(): boolean {
    return false;
  }

  /** Why nothing can be changed from here; null where it can. */
  get barred(): string | null {
    return this.gone ? "The kernel is gone." : null;
  }

  /** Ask something of the Python half; what comes of it arrives as news. */
  ask(what: Ask): void {
    const id = `${PAGE}-${++asked}`;
    const timer = setTimeout(() => void this.insist(id, what), PATIENCE);
    this.waiting.set(id, { timer, ask: what.ask });
    this.model.send({ id, ...what });
    this.tell("bar");
  }

  /** What a click is by POST, where the kernel keeps silent; null for what only the kernel can answer. */
  protected letter(_what: Ask): Letter | null {
    return null;
  }

  /** The kernel keeps silent: the click goes by the server, under the same id, or the view says who can be asked. */
  private async insist(id: string, what: Ask): Promise<void> {
    const letter = this.letter(what);
    const posted = letter && (await post(this.model, { ...letter, body: { ...letter.body, id } }));
    if (!this.waiting.has(id)) return; // the kernel has answered meanwhile
    if (posted?.taken) this.answered(id);
    else if (posted) this.refused(id, posted.message);
    else {
      this.silent = what.ask;
      this.tell("notice");
    }
  }

  /** An acknowledgement; false where another page asked, or it was answered before. */
  protected answered(id: string): boolean {
    const waited = this.waiting.get(id);
    if (!waited) return false;
    clearTimeout(waited.timer);
    this.waiting.delete(id);
    this.tell("bar");
    if (this.silent !== null) {
      this.silent = null;
      this.tell("notice");
    }
    return true;
  }

  /** What was asked is not done, and why; shown where it was asked. */
  protected refused(id: string, message: string): void {
    const ask = this.waiting.get(id)?.ask;
    if (!this.answered(id)) return;
    this.refusal = ask === undefined ? { message } : { message, ask };
    this.tell("notice");
  }

  /** Whether the kernel has yet to say that it took what was asked. */
  get busy(): boolean {
    return this.waiting.size > 0;
  }

  dismiss(): void {
    this.refusal = null;
    this.tell("notice");
  }

  protected lose(gone: boolean): void {
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

  /** Be told when a part changes: `bar` and `notice`, and those of the view. */
  listen(part: string, listener: () => void): () => void {
    const found = this.listeners.get(part) ?? new Set();
    this.listeners.set(part, found);
    found.add(listener);
    return () => found.delete(listener);
  }

  protected tell(part: string): void {
    for (const listener of this.listeners.get(part) ?? []) listener();
  }

  close(): void {
    this.stopKernel();
    for (const each of this.waiting.values()) clearTimeout(each.timer);
    this.waiting.clear();
  }
}
