// What anywidget loads: one store a model, a view wherever it is displayed.

import { createRoot, type Root } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import "../../flownb/widgets/look.css";
import "./view.css";
import "./lists/lists.css";
import type { ReactNode } from "react";
import type { Link } from "./link";
import type { Model } from "./wire";
import { ListStore } from "./lists/store";
import { ListView } from "./lists/ListView";
import { RunView } from "./RunView";
import { Store } from "./store";

interface Shown {
  link: Link;
  hear: (message: never) => void;
  draw: () => ReactNode;
}

/** Each kind of view, by the model's trait `view`; a run has none. */
const VIEWS: Record<string, (model: Model) => Shown> = { inbox: list, runs: list, home: list };

function list(model: Model): Shown {
  const link = new ListStore(model);
  return { link, hear: (message) => link.hear(message), draw: () => <ListView store={link} /> };
}

function run(model: Model): Shown {
  const link = new Store(model);
  link.begin();
  return { link, hear: (message) => link.hear(message), draw: () => <RunView store={link} /> };
}

const stores = new Map<string, Shown>();

function initialize({ model }: { model: Model }): () => void {
  const key = String(model.get("key"));
  const shown = (VIEWS[String(model.get("view"))] ?? run)(model);
  stores.set(key, shown);
  model.on("msg:custom", shown.hear);
  return () => {
    model.off("msg:custom", shown.hear);
    shown.link.close();
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
const spares = new WeakMap<Shown, Page[]>();

function begin(store: Shown): Page {
  const box = document.createElement("div");
  const root = createRoot(box);
  // What is typed in the view is not for the notebook's command mode.
  box.addEventListener("keydown", (event) => event.stopPropagation());
  root.render(store.draw());
  return { box, root };
}

export default { initialize, render };
