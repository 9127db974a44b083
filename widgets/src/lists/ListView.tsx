// A list under its cell: what runs ask people, the runs of a store, or both.

import { StoreContext, useShared } from "../use";
import { count } from "../words";
import { Icon } from "../Icon";
import { Opened } from "./Opened";
import { Requests } from "./Requests";
import { Runs } from "./Runs";
import type { ListStore } from "./store";
import { useList, useListPart } from "./use";

const TITLES: Record<string, string> = { inbox: "Inbox", runs: "Runs", home: "flownb" };
const CALLS: Record<string, string> = { inbox: "flownb.inbox()", runs: "flownb.runs()", home: "flownb.home()" };

export function ListView({ store }: { store: ListStore }) {
  return (
    <StoreContext.Provider value={store}>
      <Frame />
    </StoreContext.Provider>
  );
}

function Frame() {
  const { view, place } = useList();
  return (
    <section className={`fnb fnb-frame flownb-${view}`} data-list-view={view} aria-label={TITLES[view]} data-lm-suppress-shortcuts="true">
      <header className="fnb-bar">
        <span className="title">{TITLES[view]}</span>
        <Waiting />
        <span className="grow" />
        <span className="sec small ell place" title={place}>
          {shortened(place)}
        </span>
      </header>
      <Notices />
      {view === "home" && <Heading part="requests" word="Waiting for you" />}
      <Requests />
      {view === "home" && <Heading part="runs" word="Runs" />}
      <Runs />
      <Opened />
    </section>
  );
}

/** The last three parts of a path: what tells stores apart. */
function shortened(place: string): string {
  const parts = place.replace(/^sqlite:\/\/\//, "").split("/");
  return parts.length > 4 ? `…/${parts.slice(-3).join("/")}` : parts.join("/");
}

function Waiting() {
  const waiting = useListPart("requests", (each) => each.requests?.counts["pending"] ?? 0);
  const running = useListPart("runs", (each) => each.runs?.counts["running"] ?? 0);
  return (
    <span role="status" className="tellers">
      {waiting > 0 && (
        <span className="fnb-pill s-waiting">
          <Icon name="waiting" small />
          {waiting === 1 ? "1 question waits for you" : `${count(waiting)} questions wait for you`}
        </span>
      )}
      {running > 0 && (
        <span className="fnb-pill s-running">
          <Icon name="running" small />
          {count(running)} running
        </span>
      )}
    </span>
  );
}

function Heading({ word }: { part: string; word: string }) {
  return <h3 className="fnb-heading">{word}</h3>;
}

function Notices() {
  const store = useList();
  const gone = useShared("notice", (each) => each.gone);
  const silent = useShared("notice", (each) => each.silent);
  const refusal = useShared("notice", (each) => each.refusal);
  if (!gone && !silent && !refusal) return null;
  return (
    <div className="fnb-notices">
      {gone && (
        <div className="fnb-banner quiet" role="alert" data-notice="gone">
          <Icon name="plug" />
          <span className="grow what">
            <b>The kernel is gone; this is how it stood.</b> <span className="sec">To see it live again:</span> <code>{CALLS[store.view]}</code>
          </span>
        </div>
      )}
      {silent !== null && !gone && (
        <div className="fnb-banner quiet" role="status" data-notice="busy">
          <Icon name="clock" />
          <span className="grow what">
            <b>The kernel is busy with another cell.</b> <span className="sec">It answers when that cell ends; at once it works in a terminal:</span>{" "}
            <code>{silent === "decide" ? "flownb approvals" : store.view === "runs" ? "flownb runs" : "flownb approvals"}</code>
          </span>
        </div>
      )}
      {refusal && (
        <div className="fnb-banner quiet" role="alert" data-notice="refused">
          <Icon name="clock" />
          <span className="grow what">{refusal.message}</span>
          <button type="button" className="fnb-btn icon" aria-label="Close" onClick={() => store.dismiss()}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
