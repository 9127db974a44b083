// What a view remembers for the next view of the same run in this page, as when its output is drawn anew.

import type { Viewport } from "@xyflow/react";
import type { Store } from "./store";

interface Memory {
  /** Where somebody moved the canvas to; null while it fits itself. */
  viewport: Viewport | null;
  tab: string;
  side: string;
  open: boolean | null;
  reveal: (key: string) => void;
  /** Shows all of the graph. */
  fit: () => void;
  /** Brings the first open question into sight. */
  ask: () => void;
}

const memories = new WeakMap<Store, Memory>();

export function remembered(store: Store): Memory {
  let found = memories.get(store);
  if (!found) {
    found = { viewport: null, tab: "output", side: "timeline", open: null, reveal: () => undefined, fit: () => undefined, ask: () => undefined };
    memories.set(store, found);
  }
  return found;
}
