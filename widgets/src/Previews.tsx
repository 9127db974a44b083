// What is shown beside a question.

import type { Question } from "./wire";
import { Value, summary } from "./Value";

export function Previews({ previews }: { previews: Question["previews"] }) {
  return previews.map((each, index) => (
    <div className="fnb-box" key={index}>
      {each.kind === "diff" ? <Diff text={String(each.value.head ?? each.value.text ?? "")} /> : <Value value={each.value} />}
      <div className="fnb-foot">
        <span className="num">
          {summary(each.value)}
          {each.name && (
            <>
              {" "}
              of <code>{each.name}</code>
            </>
          )}
        </span>
      </div>
    </div>
  ));
}

export function Diff({ text }: { text: string }) {
  return (
    <pre className="fnb-pre diff">
      {text.split("\n").map((line, index) => (
        <span key={index} className={line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : ""}>
          {line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
