// What is wrong, in a sentence with a way out: the run failed, the kernel is gone, it is busy, it refused.

import { useState } from "react";
import { usePart, useStore } from "./use";
import { remembered } from "./memory";
import { Icon } from "./Icon";

/** What is refused where it was asked: by the card of a question, in the row of a variable. */
const IN_PLACE = new Set(["decide", "set", "editable"]);

export function Notices() {
  const gone = usePart("notice", (store) => store.gone);
  const silent = usePart("notice", (store) => store.silent);
  const refusal = usePart("notice", (store) => (IN_PLACE.has(store.refusal?.ask ?? "") ? null : store.refusal));
  const bar = usePart("bar", (store) => store.bar);
  const failed = bar.status === "failed" && bar.error !== null;
  if (!gone && !silent && !refusal && !failed) return null;
  return (
    <div className="fnb-notices">
      {failed && <Failed />}
      {gone && <Gone />}
      {silent !== null && !gone && <Busy ask={silent} />}
      {refusal && <Refused message={refusal.message} />}
    </div>
  );
}

function Failed() {
  const store = useStore();
  const bar = usePart("bar", (each) => each.bar);
  const gone = usePart("bar", (each) => each.gone);
  const barred = usePart("place", (each) => each.barred);
  const node = bar.error_node;
  const kept = bar.kept;
  return (
    <div className="fnb-banner failed" role="alert">
      <Icon name="failed" />
      <span className="grow what">
        <b>
          The run failed
          {node !== null && (
            <>
              {" "}
              at <code>{node}</code>
            </>
          )}
          :
        </b>{" "}
        <span className="error">
          {bar.error?.type}: {bar.error?.message}
        </span>{" "}
        <span className="sec">{kept > 0 && (kept === 1 ? "One node kept its result." : `${kept} nodes kept their results.`)}</span>
      </span>
      {node !== null && store.scene.cards.some((each) => each.key === node) && (
        <button
          type="button"
          className="fnb-btn line"
          onClick={() => {
            remembered(store).tab = "error";
            store.select(node);
            remembered(store).reveal(node);
          }}
        >
          Show the error
        </button>
      )}
      {!gone && (
        <button type="button" className="fnb-btn primary" disabled={barred !== null} title={barred ?? undefined} data-action="retry" onClick={() => store.ask({ ask: "resume" })}>
          <Icon name="retry" />
          Retry{node !== null && ` from ${node.length > 24 ? "there" : node}`}
        </button>
      )}
    </div>
  );
}

function Gone() {
  const bar = usePart("bar", (store) => store.bar);
  const ended = bar.status === "completed" || bar.status === "cancelled";
  const line = `flownb.attach("${bar.id}")`;
  return (
    <div className="fnb-banner quiet" role="alert" data-notice="gone">
      <Icon name="plug" />
      <span className="grow what">
        <b>{ended ? "The kernel is gone; this is the end of the run." : "The kernel is gone; the run is safe."}</b>{" "}
        <span className="sec">{ended ? "To look into it again:" : "It waits in the store. To see it live again:"}</span> <code>{line}</code>
      </span>
      <Copy text={line} />
    </div>
  );
}

const COMMANDS: Record<string, string> = { pause: "pause", cancel: "cancel", resume: "resume", retry: "retry", skip: "skip" };

function Busy({ ask }: { ask: string }) {
  const bar = usePart("bar", (store) => store.bar);
  const command = COMMANDS[ask];
  const line = command ? `flownb ${command} ${bar.id}` : null;
  return (
    <div className="fnb-banner quiet" role="status" data-notice="busy">
      <Icon name="clock" />
      <span className="grow what">
        <b>The kernel is busy with another cell.</b>{" "}
        <span className="sec">
          {line ? "It hears this when that cell ends; at once it works in a terminal:" : "It answers when that cell ends."}
        </span>{" "}
        {line && <code>{line}</code>}
      </span>
      {line && <Copy text={line} />}
    </div>
  );
}

function Refused({ message }: { message: string }) {
  const store = useStore();
  return (
    <div className="fnb-banner quiet" role="alert" data-notice="refused">
      <Icon name="clock" />
      <span className="grow what">{message}</span>
      <button type="button" className="fnb-btn icon" aria-label="Close" onClick={() => store.dismiss()}>
        <Icon name="close" />
      </button>
    </div>
  );
}

function Copy({ text }: { text: string }) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      className="fnb-btn line"
      onClick={() => {
        void navigator.clipboard?.writeText(text).then(
          () => setDone(true),
          () => undefined,
        );
      }}
    >
      {done ? "Copied" : "Copy the line"}
    </button>
  );
}
