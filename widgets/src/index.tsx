// What anywidget loads: one store a model, a view wherever it is displayed.

import { createRoot } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import "./look.css";
import "./view.css";
import type { Message, Model } from "./wire";
import { RunView } from "./RunView";
import { Store } from "./store";

const stores = new Map<string, Store>();

function initialize({ model }: { model: Model }): () => void {
  const key = String(model.get("key"));
  const store = new Store(model);
  stores.set(key, store);
  const hear = (message: Message): void => store.hear(message);
  model.on("msg:custom", hear);
  return () => {
    model.off("msg:custom", hear);
    store.close();
    stores.delete(key);
  };
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const store = stores.get(String(model.get("key")));
  if (!store) throw new Error("flownb: a view of a model that was never begun");
  const root = createRoot(el);
  // What is typed in the view is not for the notebook's command mode.
  const keep = (event: KeyboardEvent): void => event.stopPropagation();
  el.addEventListener("keydown", keep);
  root.render(<RunView store={store} />);
  return () => {
    el.removeEventListener("keydown", keep);
    root.unmount();
  };
}

export default { initialize, render };
