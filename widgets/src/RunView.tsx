// A run under its cell: bar, notices, canvas, and the panels below.

import { useState } from "react";
import { ReactFlowProvider } from "@xyflow/react";
import { StoreContext, usePart, useStore } from "./use";
import type { Store } from "./store";
import { remembered } from "./memory";
import { capital } from "./words";
import { Bar } from "./Bar";
import { Canvas } from "./Canvas";
import { EdgePanel } from "./EdgePanel";
import { Events } from "./Events";
import { Icon } from "./Icon";
import { NodePanel } from "./NodePanel";
import { Questions } from "./Questions";
import { Notices } from "./Notices";
import { Spoken } from "./Spoken";
import { Strip } from "./Strip";
import { Timeline } from "./Timeline";
import { Variables } from "./Variables";

export function RunView({ store }: { store: Store }) {
  return (
    <StoreContext.Provider value={store}>
      <Frame />
    </StoreContext.Provider>
  );
}

function Frame() {
  const bar = usePart("bar", (store) => store.bar);
  const name = usePart("scene", (store) => store.scene.name);
  const { canvas } = useStore();
  const seq = usePart("place", (store) => store.place?.seq ?? null);
  return (
    <section
      className="fnb fnb-frame flownb-run"
      data-run={bar.id}
      data-status={bar.status}
      data-moment={seq ?? undefined}
      aria-label={`Run of ${name}`}
      // JupyterLab's own shortcuts stay out of what is typed here.
      data-lm-suppress-shortcuts="true"
    >
      <Bar />
      <Notices />
      <ReactFlowProvider>
        {canvas && <Canvas />}
        {canvas && <Strip />}
      </ReactFlowProvider>
      <Questions />
      <Panels />
      <Spoken />
    </section>
  );
}

const SIDES = ["timeline", "events", "variables"];

function Panels() {
  const store = useStore();
  const selected = usePart("selected", (each) => each.selected);
  const edge = usePart("selected", (each) => each.edge);
  const [side, setSide] = useState(remembered(store).side);
  const [open, setOpen] = useState(remembered(store).open ?? false);
  const show = (next: string): void => {
    const now = !(open && side === next);
    remembered(store).side = next;
    remembered(store).open = now;
    setSide(next);
    setOpen(now);
  };
  const one = selected !== null || edge !== null;
  const shown = open || one;
  return (
    <>
      <div className="fnb-foot strip">
        {SIDES.map((each) => (
          <button
            type="button"
            key={each}
            className={`fnb-btn${open && side === each ? " on" : ""}`}
            aria-expanded={open && side === each}
            data-panel={each}
            onClick={() => show(each)}
          >
            {capital(each)}
          </button>
        ))}
        <span className="grow" />
        <RunId />
      </div>
      {shown && (
        <div className={`fnb-panels${one && open ? " two" : ""}`}>
          {selected !== null && <NodePanel />}
          {edge !== null && <EdgePanel />}
          {open && (
            <section className="fnb-panel" aria-label={capital(side)}>
              <div className="fnb-ph">
                <span>{capital(side)}</span>
                <span className="grow" />
                {side === "timeline" && (
                  <span className="sec small plain key">
                    <i className="crit-key" /> critical path
                  </span>
                )}
                <button type="button" className="fnb-btn icon" aria-label="Close the panel" onClick={() => show(side)}>
                  <Icon name="close" />
                </button>
              </div>
              {side === "timeline" ? <Timeline /> : side === "events" ? <Events /> : <Variables />}
            </section>
          )}
        </div>
      )}
    </>
  );
}

function RunId() {
  const bar = usePart("bar", (each) => each.bar);
  return (
    <span className="sec small num">
      run <code>{bar.id}</code>, {bar.seq} {bar.seq === 1 ? "event" : "events"}
    </span>
  );
}
