// The questions of a run, under its canvas: open ones as cards, answered ones in three lines.

import { useEffect, useRef } from "react";
import { usePart, useStore } from "./use";
import { remembered } from "./memory";
import { Answered } from "./Answered";
import { Asking } from "./Asking";

/** Answered questions that stay in sight. */
const MOST_ANSWERED = 5;

export function Questions() {
  const store = useStore();
  const all = usePart("questions", (each) => each.questions);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    remembered(store).ask = () => {
      const card = list.current?.querySelector<HTMLElement>('[data-status="pending"]');
      card?.scrollIntoView({ block: "nearest" });
      card?.focus();
    };
  }, [store]);
  const questions = Object.values(all).sort((a, b) => a.asked - b.asked);
  const open = questions.filter((each) => each.status === "pending");
  const answered = questions.filter((each) => each.status !== "pending").slice(-MOST_ANSWERED);
  if (questions.length === 0) return null;
  return (
    <div className="fnb-asks" ref={list}>
      {answered.map((each) => (
        <Answered key={each.id} question={each} />
      ))}
      {open.map((each) => (
        <Asking key={each.id} question={each} />
      ))}
    </div>
  );
}
