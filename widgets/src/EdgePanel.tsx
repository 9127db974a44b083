// The panel of the selected edge: the value on it, what its condition said, and why it is live, dead or open.

import { usePart, useStore } from "./use";
import { capital } from "./words";
import { Icon } from "./Icon";
import { Value, summary } from "./Value";

const WORDS = { open: "Open", live: "Live", moving: "Data move", dead: "Dead" };
const ICONS = { open: "pending", live: "completed", moving: "running", dead: "skipped" };
const TONES = { open: "pending", live: "completed", moving: "running", dead: "skipped" };
const KINDS = { data: "data", gate: "a gate", order: "order", error: "the error", part: "a part" };

export function EdgePanel() {
  const store = useStore();
  const id = usePart("selected", (each) => each.edge);
  const detail = usePart("detail", (each) => each.edgeDetail);
  const route = store.scene.routes.find((each) => each.edge === id);
  if (!route) return null;
  const source = detail?.source ?? route.source;
  const state = detail?.state ?? "open";
  const facts: [string, string][] = detail
    ? [
        ["carries", KINDS[detail.kind]],
        ...(detail.port ? [["port", detail.port] as [string, string]] : []),
        ...(detail.parameter ? [["arrives as", detail.parameter] as [string, string]] : []),
        ...(detail.condition ? [["condition", detail.condition] as [string, string]] : []),
        ...(detail.verdict != null ? [["its verdict", detail.verdict ? "true" : "false"] as [string, string]] : []),
      ]
    : [];
  return (
    <section className="fnb-panel" aria-label={`Edge from ${source} to ${route.target}`} data-edge-panel={route.edge}>
      <div className="fnb-ph">
        <span className="ell">
          {source} <span aria-hidden="true">→</span> {route.target}
        </span>
        <span className={`s-${TONES[state]} small state`}>
          <Icon name={ICONS[state]} small />
          {WORDS[state]}
        </span>
        <span className="grow" />
        <button type="button" className="fnb-btn icon" aria-label="Close the panel" title="Close (Esc)" onClick={() => store.select(null)}>
          <Icon name="close" />
        </button>
      </div>
      <div className="fnb-tabbody">
        {detail && <p className="fnb-said">{capital(detail.why)}</p>}
        <div className="fnb-facts">
          {facts.map(([name, text]) => (
            <span key={name}>
              <span className="sec">{name}</span> <code>{text}</code>
            </span>
          ))}
        </div>
        {detail?.value && <Value value={detail.value} />}
      </div>
      {detail?.value && (
        <div className="fnb-foot">
          <span className="num">{[detail.value.type, summary(detail.value)].filter(Boolean).join(": ")}</span>
        </div>
      )}
    </section>
  );
}
