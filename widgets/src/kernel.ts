// Whether the kernel behind a model is still there, as far as the page can know.

import type { Model } from "./wire";

interface Signal {
  connect(slot: (sender: unknown, value: unknown) => void): void;
  disconnect(slot: (sender: unknown, value: unknown) => void): void;
}

interface Connection {
  statusChanged?: Signal;
  status?: unknown;
}

const GONE = new Set(["dead", "terminating", "restarting", "autorestarting"]);

/** Call `tell(true)` when the kernel has gone; returns what ends that. */
export function watchKernel(model: Model, tell: (gone: boolean) => void): () => void {
  const manager = model.widget_manager as { kernel?: Connection | null; context?: { sessionContext?: unknown } } | undefined;
  const session = manager?.context?.sessionContext as
    | { statusChanged?: Signal; kernelChanged?: Signal; session?: { kernel?: Connection | null } | null }
    | undefined;
  const changed = (_: unknown, value: unknown): void => {
    if (typeof value === "string" && GONE.has(value)) tell(true);
  };
  const replaced = (): void => tell(true);
  const lost = (): void => {
    if (!(model.get("comm_live") ?? true)) tell(true);
  };
  const signals = [session?.statusChanged, manager?.kernel?.statusChanged].filter((each) => each !== undefined);
  for (const each of signals) each.connect(changed);
  session?.kernelChanged?.connect(replaced);
  model.on("comm_live_update", lost);
  return () => {
    for (const each of signals) each.disconnect(changed);
    session?.kernelChanged?.disconnect(replaced);
    model.off("comm_live_update", lost);
  };
}
