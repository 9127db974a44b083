// React's view of a list's store.

import { useCallback, useSyncExternalStore } from "react";
import { useLink } from "../use";
import { ListStore } from "./store";

export function useList(): ListStore {
  const store = useLink();
  if (!(store instanceof ListStore)) throw new Error("this belongs to the view of a list");
  return store;
}

/** A part of the list; the component is drawn anew when that part changes. */
export function useListPart<T>(part: string, read: (store: ListStore) => T): T {
  const store = useList();
  const listen = useCallback((tell: () => void) => store.listen(part, tell), [store, part]);
  return useSyncExternalStore(listen, () => read(store));
}
