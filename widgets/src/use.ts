// React's view of the store.

import { createContext, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import type { Store } from "./store";
import type { EdgeState, NodeRecord } from "./wire";

export const StoreContext = createContext<Store | null>(null);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error("a view without a store");
  return store;
}

/** A part of the store; the component is drawn anew when that part changes. */
export function usePart<T>(part: string, read: (store: Store) => T): T {
  const store = useStore();
  const listen = useCallback((tell: () => void) => store.listen(part, tell), [store, part]);
  return useSyncExternalStore(listen, () => read(store));
}

const PENDING: NodeRecord = { status: "pending", look: "pending", text: "Pending" };

export function useNode(key: string): NodeRecord {
  return usePart(`node ${key}`, (store) => store.nodes[key] ?? PENDING);
}

export function useEdge(id: string): EdgeState | undefined {
  return usePart(`edge ${id}`, (store) => store.edges[id]);
}

/** The kernel's time, new every `every` milliseconds while `on`. */
export function useNow(on: boolean, every = 500): number {
  const store = useStore();
  const [, tick] = useState(0);
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => tick((count) => count + 1), every);
    return () => clearInterval(timer);
  }, [on, every]);
  return store.now();
}
