// A question that was answered, or that nobody answered in time: three lines.

import type { Question } from "./wire";
import { clock } from "./words";
import { Icon } from "./Icon";
import { wordOf } from "./Asking";

const SAID: Record<Question["status"], [icon: string, tone: string, word: string]> = {
  pending: ["waiting", "waiting", "Waiting"],
  approved: ["completed", "completed", "Approved"],
  rejected: ["cancelled", "cancelled", "Rejected"],
  answered: ["completed", "completed", "Answered"],
  expired: ["clock", "skipped", "Expired"],
  cancelled: ["cancelled", "cancelled", "Cancelled"],
};

export function Answered({ question }: { question: Question }) {
  const [icon, tone, word] = SAID[question.status];
  const answer = question.answer;
  const given = question.status === "answered" && answer ? `${word}: ${wordOf(answer.port)}` : word;
  return (
    <section className="fnb-ask flownb-approval short" data-approval={question.id} data-status={question.status} aria-label={`Question of ${question.node}, ${word}`}>
      <div className="line">
        <span className="fam" style={{ ["--fam" as string]: "var(--fnb-f-people)" }}>
          <Icon name="person" />
        </span>
        <b>{question.node}</b>
        <span className={`s-${tone} state`}>
          <Icon name={icon} small />
          {given}
          {answer?.by ? ` by ${answer.by}` : ""}
        </span>
        <span className="grow" />
        {answer && (
          <span className="sec small">
            port <code>{answer.port}</code>
          </span>
        )}
      </div>
      <div className="said">
        <div className="ell">{question.question}</div>
        <div className="sec small">
          {answer?.comment && <>“{answer.comment}” </>}
          {answer && <>at {clock(answer.at)}</>}
          {answer?.data && <>, {answer.data}</>}
          {question.status === "expired" && !answer?.comment && ". Nobody answered in time."}
        </div>
      </div>
    </section>
  );
}
