// What anywidget loads: one store a model, a view wherever it is displayed.

import { createRoot, type Root } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import "../../flownb/widgets/look.css";
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
  const spare = spares.get(store)?.pop();
  const page = spare ?? begin(store);
  if (spare) clearTimeout(spare.timer);
  el.append(page.box);
  return () => {
    page.timer = setTimeout(() => {
      spares.set(store, (spares.get(store) ?? []).filter((each) => each !== page));
      page.root.unmount();
    }, KEPT);
    spares.set(store, [...(spares.get(store) ?? []), page]);
  };
}

/** JupyterLab draws an output anew when the picture in it changes: what stood there goes on with focus, tabs and zoom. */
interface Page {
  box: HTMLElement;
  root: Root;
  timer?: ReturnType<typeof setTimeout>;
}

const KEPT = 2_000;
const spares = new WeakMap<Store, Page[]>();

function begin(store: Store): Page {
  const box = document.createElement("div");
  const root = createRoot(box);
  // What is typed in the view is not for the notebook's command mode.
  box.addEventListener("keydown", (event) => event.stopPropagation());
  root.render(<RunView store={store} />);
  return { box, root };
}

export default { initialize, render };
