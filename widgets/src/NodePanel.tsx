// The panel of the selected node: its output, what it got, what it wrote, why it is as it is.

import { useState } from "react";
import { usePart, useStore } from "./use";
import { remembered } from "./memory";
import type { Detail } from "./wire";
import { capital, clock, duration } from "./words";
import { Icon } from "./Icon";
import { Value, summary } from "./Value";

const TABS = ["output", "inputs", "log", "error", "why", "attempts", "config"] as const;
type Tab = (typeof TABS)[number];

export function NodePanel() {
  const store = useStore();
  const key = usePart("selected", (each) => each.selected);
  const detail = usePart("detail", (each) => each.detail);
  const [chosen, choose] = useState<string>(remembered(store).tab);
  const spot = [...store.scene.cards, ...store.scene.boxes].find((each) => each.key === key);
  if (!spot) return null;
  const node = store.nodes[spot.key];
  const status = node?.status ?? "pending";
  const wanted = remembered(store).tab !== chosen ? remembered(store).tab : chosen;
  const shown = TABS.filter((tab) => tab !== "error" || detail?.error);
  const tab = (shown.includes(wanted as Tab) ? wanted : detail?.error && wanted === "output" ? "error" : "output") as Tab;
  const open = (next: Tab): void => {
    remembered(store).tab = next;
    choose(next);
  };
  return (
    <section className="fnb-panel" aria-label={`Node ${spot.title}`}>
      <div className="fnb-ph">
        <span className="fam" style={{ ["--fam" as string]: `var(--fnb-f-${spot.family})` }}>
          <Icon name={spot.icon} />
        </span>
        <span className="ell">{detail?.path ?? spot.title}</span>
        <span className={`s-${status} small state`}>
          <Icon name={node?.look ?? "pending"} small />
          {capital(status)}
        </span>
        {node?.started !== undefined && node.finished !== undefined && (
          <span className="sec small num plain">in {duration(node.finished - node.started)}</span>
        )}
        <span className="grow" />
        <NodeActions detail={detail} id={spot.id} />
        <button type="button" className="fnb-btn icon" aria-label="Close the panel" title="Close (Esc)" onClick={() => store.select(null)}>
          <Icon name="close" />
        </button>
      </div>
      <div className="fnb-tabs" role="tablist">
        {shown.map((each) => (
          <button
            type="button"
            key={each}
            className={`fnb-tab${each === tab ? " on" : ""}`}
            role="tab"
            aria-selected={each === tab}
            data-tab={each}
            onClick={() => open(each)}
          >
            {capital(each)}
            {each === "log" && detail?.log ? <span className="num"> {detail.log.trimEnd().split("\n").length}</span> : null}
          </button>
        ))}
      </div>
      <div className="fnb-tabbody" role="tabpanel">
        {detail ? <Body tab={tab} detail={detail} /> : <Loading />}
      </div>
      {detail?.output && tab === "output" && (
        <div className="fnb-foot">
          <span className="num">{summary(detail.output)}</span>
          <span className="grow" />
          <Take nodeKey={spot.key} path={detail.path} />
        </div>
      )}
    </section>
  );
}

function NodeActions({ detail, id }: { detail: Detail | null; id: string }) {
  const store = useStore();
  const gone = usePart("bar", (each) => each.gone);
  const run = usePart("bar", (each) => each.bar.status);
  const barred = usePart("place", (each) => each.barred);
  if (!detail || gone || run === "completed" || run === "cancelled") return null;
  const halts = store.bar.breakpoints.includes(id);
  return (
    <>
      {detail.status === "failed" && (
        <button type="button" className="fnb-btn icon" disabled={barred !== null} aria-label="Try again" title={barred ?? "Try again"} onClick={() => store.ask({ ask: "retry", node: detail.path })}>
          <Icon name="retry" />
        </button>
      )}
      {(detail.status === "pending" || detail.status === "waiting") && (
        <button type="button" className="fnb-btn icon" disabled={barred !== null} aria-label="Skip it" title={barred ?? "Skip it"} onClick={() => store.ask({ ask: "skip", node: detail.path })}>
          <Icon name="skip" />
        </button>
      )}
      {detail.status === "pending" && (
        <button
          type="button"
          className={`fnb-btn icon${halts ? " s-failed" : ""}`}
          aria-pressed={halts}
          aria-label={halts ? "Remove the breakpoint" : "Halt before it"}
          disabled={barred !== null}
          title={barred ?? (halts ? "Remove the breakpoint" : "Halt before it")}
          onClick={() => store.ask({ ask: "breakpoint", node: id, on: !halts })}
        >
          <Icon name="breakpoint" />
        </button>
      )}
    </>
  );
}

/** The output into the notebook: a button does it, and says what it did. */
function Take({ nodeKey, path }: { nodeKey: string; path: string }) {
  const store = useStore();
  const took = usePart("detail", (each) => (each.took?.key === nodeKey ? each.took.text : null));
  const still = usePart("bar", (each) => each.still);
  return (
    <span className="fnb-take">
      {took !== null ? (
        <span role="status">
          In your namespace: <code>{took}</code>
        </span>
      ) : (
        <span>
          In your namespace: <code>run[&quot;{path}&quot;].take()</code>
        </span>
      )}
      {!still && (
        <button type="button" className="fnb-btn icon" data-action="take" aria-label="Take it into the notebook" title="Take it into the notebook" onClick={() => store.takeOut(nodeKey, path)}>
          <Icon name="take" />
        </button>
      )}
    </span>
  );
}

function Loading() {
  return (
    <div className="fnb-loading" aria-label="Reading">
      <div className="fnb-skel" style={{ width: "60%" }} />
      <div className="fnb-skel" style={{ width: "40%" }} />
      <div className="fnb-skel" style={{ width: "52%" }} />
    </div>
  );
}

function Body({ tab, detail }: { tab: Tab; detail: Detail }) {
  switch (tab) {
    case "output":
      return detail.output ? <Value value={detail.output} /> : <p className="sec fnb-said">No output: {detail.why}</p>;
    case "inputs":
      return <Inputs detail={detail} />;
    case "log":
      return detail.log ? <pre className="fnb-pre">{detail.log}</pre> : <p className="sec fnb-said">It has written nothing.</p>;
    case "error":
      return (
        <>
          <p className="fnb-said s-failed">
            <b>{detail.error?.type}</b>: <span className="error">{detail.error?.message}</span>
          </p>
          {detail.error?.traceback && <pre className="fnb-pre">{detail.error.traceback}</pre>}
        </>
      );
    case "why":
      return <p className="fnb-said">{capital(detail.why)}</p>;
    case "attempts":
      return <Attempts detail={detail} />;
    case "config":
      return (
        <table className="fnb-table pairs">
          <tbody>
            <tr>
              <th scope="row">type</th>
              <td>{detail.type}</td>
            </tr>
            {detail.config?.map(([name, text]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{text}</td>
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}

function Inputs({ detail }: { detail: Detail }) {
  if (!detail.inputs?.length) return <p className="sec fnb-said">It takes no inputs.</p>;
  return (
    <>
      {detail.inputs.map((each, index) => (
        <div className="fnb-input" key={index}>
          <div className="head">
            <b>{each.name}</b> <span className="sec">from {each.from}</span>
            <span className="grow" />
            <span className="sec num">{each.value ? summary(each.value) : "not there yet"}</span>
          </div>
          {each.value && <Value value={each.value} />}
        </div>
      ))}
    </>
  );
}

function Attempts({ detail }: { detail: Detail }) {
  if (!detail.tries?.length) return <p className="sec fnb-said">It has not started.</p>;
  return (
    <table className="fnb-table">
      <thead>
        <tr>
          <th>attempt</th>
          <th>began</th>
          <th className="r">took</th>
          <th>ended</th>
        </tr>
      </thead>
      <tbody>
        {detail.tries.map((each, index) => (
          <tr key={index}>
            <td className="num">{each.attempt}</td>
            <td className="num">{clock(each.started)}</td>
            <td className="r num">{each.ended === undefined ? "" : duration(each.ended - each.started)}</td>
            <td className="wrap">
              {each.how ?? "at work"}
              {each.error ? `: ${each.error}` : ""}
              {each.delay ? <span className="sec"> next after {duration(each.delay)}</span> : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
