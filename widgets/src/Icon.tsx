// Icons: strokes in a 16 px box, as the Python half keeps them (one drawing for the picture and for the page).

import { memo } from "react";
import { useLink } from "./use";

const TOOLS: Record<string, string[]> = {
  pause: ["M5.5 4v8M10.5 4v8"],
  resume: ["M5 3.5v9l7-4.5z"],
  step: ["M3.5 4v8l5.5-4zM12 4v8"],
  stop: ["M5 4h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z"],
  retry: ["M13 8a5 5 0 1 1-1.5-3.5L13 6M13 2.8V6H9.8"],
  minus: ["M3.5 8h9"],
  plus: ["M8 3.5v9M3.5 8h9"],
  fit: ["M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10"],
  search: ["M11 7A4 4 0 1 1 3 7A4 4 0 1 1 11 7Z", "M10 10l3.5 3.5"],
  left: ["M9.5 4L5.5 8l4 4"],
  right: ["M6.5 4l4 4-4 4"],
  up: ["M4 9.5L8 5.5l4 4"],
  down: ["M4 6.5L8 10.5l4-4"],
  first: ["M11 4L7 8l4 4M4.5 4v8"],
  last: ["M5 4l4 4-4 4M11.5 4v8"],
  open: ["M9 3h4v4M13 3L7.5 8.5M11 9.5V13H3V5h3.5"],
  close: ["M4.5 4.5l7 7M11.5 4.5l-7 7"],
  plug: ["M5.5 2v3.5M10.5 2v3.5M4 5.5h8v2.5a4 4 0 0 1-8 0zM8 12v2.5"],
  clock: ["M14 8A6 6 0 1 1 2 8A6 6 0 1 1 14 8Z", "M8 4.5V8l2.5 1.5"],
  copy: ["M6 6h7v7H6zM3 10V3h7"],
  breakpoint: ["*M12.5 8A4.5 4.5 0 1 1 3.5 8A4.5 4.5 0 1 1 12.5 8Z"],
  edit: ["M3 13l.6-2.9L10.8 3 13 5.2l-7.1 7.2z", "M9.3 4.5l2.2 2.2"],
  take: ["M8 2.5v7M5 6.8l3 3 3-3M3 12.8h10"],
  skip: ["*M3 4v8l5-4z", "*M8.5 4v8l5-4z"],
};

interface Props {
  name: string;
  small?: boolean;
  spin?: boolean;
}

export const Icon = memo(function Icon({ name, small, spin }: Props) {
  const icons = useLink().icons;
  const strokes = TOOLS[name] ?? icons[name] ?? icons["shapes"] ?? [];
  return (
    <svg className={`ic${small ? " st" : ""}${spin ? " spin" : ""}`} viewBox="0 0 16 16" aria-hidden="true">
      {strokes.map((each, index) => {
        const mark = "*-~.:".includes(each.charAt(0)) ? each.charAt(0) : "";
        const d = mark ? each.slice(1) : each;
        if (mark === "*") return <path key={index} d={d} fill="currentColor" stroke="none" />;
        if (mark === "-") return <path key={index} d={d} stroke="var(--fnb-raised)" />;
        if (mark === "~") return <path key={index} d={d} opacity={0.25} />;
        if (mark === ".") return <path key={index} d={d} strokeWidth={2.4} />;
        if (mark === ":") return <path key={index} d={d} strokeDasharray="2.4 2" />;
        return <path key={index} d={d} />;
      })}
    </svg>
  );
});
