// The live view of the run that somebody opened from a list, below it.

import { useEffect, useRef, useState } from "react";
import type { Model } from "../wire";
import { Icon } from "../Icon";
import { useList, useListPart } from "./use";

interface Manager {
  get_model(id: string): Promise<unknown>;
  create_view(model: unknown, options?: object): Promise<{ el: HTMLElement; remove(): void; luminoWidget?: { node: HTMLElement } }>;
}

/** A model that was made this moment may still be on its way. */
const TRIES = 20;
const BETWEEN = 150;

export function Opened() {
  const store = useList();
  const opened = useListPart("opened", (each) => each.opened);
  const box = useRef<HTMLDivElement>(null);
  const [failed, fail] = useState(false);
  useEffect(() => {
    fail(false);
    const element = box.current;
    if (!opened.model || !element) return;
    let ended = false;
    let close: () => void = () => undefined;
    show(store.widgetModel, opened.model, element).then(
      (remove) => {
        if (ended) remove();
        else close = remove;
      },
      () => {
        if (!ended) fail(true);
      },
    );
    return () => {
      ended = true;
      close();
    };
  }, [store, opened]);
  if (!opened.run) return null;
  return (
    <section className="fnb-opened" aria-label={`Run ${opened.run}`} data-opened={opened.run}>
      <div className="fnb-ph">
        <span>
          Run <code>{opened.run}</code>
        </span>
        <span className="grow" />
        <button type="button" className="fnb-btn icon" aria-label="Close the run's view" onClick={() => store.ask({ ask: "close" })}>
          <Icon name="close" />
        </button>
      </div>
      {failed && (
        <p className="sec">
          Its view can't be shown here. In a cell: <code>flownb.attach(&quot;{opened.run}&quot;)</code>
        </p>
      )}
      <div ref={box} />
    </section>
  );
}

async function show(model: Model, id: string, box: HTMLElement): Promise<() => void> {
  const manager = model.widget_manager as Manager | undefined;
  if (!manager?.get_model) throw new Error("no widget manager");
  for (let left = TRIES; ; left -= 1) {
    try {
      const view = await manager.create_view(await manager.get_model(id), {});
      const element = view.luminoWidget?.node ?? view.el;
      box.replaceChildren(element);
      return () => {
        view.remove();
        element.remove();
      };
    } catch (error) {
      if (left <= 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN));
    }
  }
}
