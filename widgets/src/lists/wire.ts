// What the Python half of a list sends: a page of it, and what of that is new.

import type { Question, RunStatus } from "../wire";

export interface RunRow {
  id: string;
  workflow: string;
  kind: string;
  status: RunStatus;
  reason: string;
  key: string;
  trigger: string;
  created: number;
  started: number | null;
  finished: number | null;
  /** It says that it is at work, and nobody has it. */
  lost: boolean;
}

export interface RequestRow {
  id: string;
  run: string;
  workflow: string;
  node: string;
  kind: Question["kind"];
  status: Question["status"];
  line: string;
  asked: number;
  expires: number | null;
}

interface Part {
  text: string;
  skip: number;
  size: number;
  total: number;
  counts: Record<string, number>;
}

export interface RunsPart extends Part {
  status: RunStatus[];
  rows: RunRow[];
}

export interface RequestsPart extends Part {
  pending: boolean;
  rows: RequestRow[];
  open: Record<string, Question & RequestRow>;
}

export interface Opened {
  run?: string;
  model?: string;
}

export interface Parts {
  runs?: RunsPart;
  requests?: RequestsPart;
  opened?: Opened;
}

export interface Page extends Parts {
  number: number;
  now: number;
  icons: Record<string, string[]>;
  opened: Opened;
}

export type ListMessage =
  | ({ kind: "news"; number: number; now: number } & Parts)
  | { kind: "done"; id: string; page?: Page }
  | { kind: "refused"; id: string; message: string };
