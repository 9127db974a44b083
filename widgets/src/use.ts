// React's view of the store.

import { createContext, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import type { Link } from "./link";
import { Store } from "./store";
import type { EdgeState, NodeRecord } from "./wire";

export const StoreContext = createContext<Link | null>(null);

/** The line to the Python half, of whichever view this is. */
export function useLink(): Link {
  const link = useContext(StoreContext);
  if (!link) throw new Error("a view without a store");
  return link;
}

export function useStore(): Store {
  const store = useLink();
  if (!(store instanceof Store)) throw new Error("this belongs to the view of a run");
  return store;
}

/** A part that every view has, `bar` or `notice`; the component is drawn anew when that changes. */
export function useShared<T>(part: string, read: (link: Link) => T): T {
  const link = useLink();
  const listen = useCallback((tell: () => void) => link.listen(part, tell), [link, part]);
  return useSyncExternalStore(listen, () => read(link));
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
  const store = useLink();
  const [, tick] = useState(0);
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => tick((count) => count + 1), every);
    return () => clearInterval(timer);
  }, [on, every]);
  return store.now();
}
