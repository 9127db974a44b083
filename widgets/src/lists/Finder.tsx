// The line over a list: a search, chips that filter, and the pages.

import { useEffect, useRef, useState } from "react";
import { useShared } from "../use";
import { count } from "../words";
import { Icon } from "../Icon";
import { useList } from "./use";

const PAUSE = 200;

interface SearchProps {
  part: "runs" | "requests";
  text: string;
  label: string;
}

export function Search({ part, text, label }: SearchProps) {
  const store = useList();
  const gone = useShared("bar", (each) => each.gone);
  const [typed, type] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const asked = useRef(text);
  useEffect(() => {
    // Another view of the list searched for something else.
    if (text !== asked.current) {
      asked.current = text;
      type(text);
    }
  }, [text]);
  const search = (next: string): void => {
    type(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      asked.current = next.trim();
      store.find(part, { text: next, skip: 0 });
    }, PAUSE);
  };
  return (
    <span className="fnb-search">
      <Icon name="search" />
      <input
        type="search"
        className="fnb-in"
        placeholder={label}
        aria-label={label}
        data-search={part}
        disabled={gone}
        value={typed}
        onChange={(event) => search(event.target.value)}
      />
    </span>
  );
}

interface ChipProps {
  name: string;
  word: string;
  number: number;
  on: boolean;
  onClick: () => void;
}

export function Chip({ name, word, number, on, onClick }: ChipProps) {
  const gone = useShared("bar", (each) => each.gone);
  return (
    <button type="button" className={`fnb-btn fnb-filter${on ? " on" : ""}`} aria-pressed={on} data-filter={name} disabled={gone} onClick={onClick}>
      {word} <span className="num sec">{count(number)}</span>
    </button>
  );
}

interface PagerProps {
  part: "runs" | "requests";
  noun: string;
  skip: number;
  size: number;
  total: number;
}

export function Pager({ part, noun, skip, size, total }: PagerProps) {
  const store = useList();
  const gone = useShared("bar", (each) => each.gone);
  if (total <= size) return null;
  const go = (to: number) => () => store.find(part, { skip: to });
  const last = Math.floor((total - 1) / size) * size;
  return (
    <nav className="fnb-pages" aria-label={`Pages of ${noun}`} data-pages={part}>
      <span className="num sec" aria-live="polite">
        {count(skip + 1)} to {count(Math.min(skip + size, total))} of {count(total)}
      </span>
      <button type="button" className="fnb-btn icon" aria-label="First page" disabled={gone || skip === 0} onClick={go(0)}>
        <Icon name="first" />
      </button>
      <button type="button" className="fnb-btn icon" aria-label="Page before" disabled={gone || skip === 0} onClick={go(skip - size)}>
        <Icon name="left" />
      </button>
      <button type="button" className="fnb-btn icon" aria-label="Next page" disabled={gone || skip >= last} onClick={go(skip + size)}>
        <Icon name="right" />
      </button>
      <button type="button" className="fnb-btn icon" aria-label="Last page" disabled={gone || skip >= last} onClick={go(last)}>
        <Icon name="last" />
      </button>
    </nav>
  );
}

/** The arrow keys walk the rows of a list, Home and End go to its ends. */
export function walk(event: React.KeyboardEvent<HTMLElement>): void {
  const from = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-row]") : null;
  if (!from || event.target !== from) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.indexOf(from);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  rows[Math.min(Math.max(to, 0), rows.length - 1)]?.focus();
}
