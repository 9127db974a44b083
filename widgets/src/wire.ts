// What the Python half sends and takes: the shapes of its traits and messages, and nothing else.

export type NodeStatus =
  | "pending"
  | "queued"
  | "running"
  | "waiting"
  | "completed"
  | "failed"
  | "skipped"
  | "cancelled";
export type RunStatus = "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";
export type EdgeState = "open" | "live" | "moving" | "dead";

export interface Port {
  name: string;
  side: "in" | "out";
  x: number;
  y: number;
  shape: "round" | "square" | "diamond" | "hollow";
  type: string;
  label: string;
}

export interface Spot {
  key: string;
  id: string;
  title: string;
  type: string;
  parent: string | null;
  icon: string;
  family: string;
  x: number;
  y: number;
  width: number;
  height: number;
  ports: Port[];
}

export interface Route {
  edge: string;
  source: string;
  target: string;
  kind: "data" | "gate" | "order" | "error" | "part";
  points: [number, number][];
  implied: boolean;
}

export interface Scene {
  name: string;
  width: number;
  height: number;
  compact: boolean;
  icons: Record<string, string[]>;
  cards: Spot[];
  boxes: Spot[];
  routes: Route[];
}

export type Mark = "open" | "running" | "waiting" | "done" | "failed";

export interface Rounds {
  total: number;
  shown: number | null;
  marks: Mark[];
  done: number;
  running: number;
  failed: number;
  waiting: number;
}

export interface NodeRecord {
  status: NodeStatus;
  look: string;
  text: string;
  path?: string;
  started?: number;
  finished?: number;
  attempts?: string;
  progress?: number;
  badges?: string[];
  rounds?: Rounds;
}

export interface Bar {
  id: string;
  status: RunStatus;
  reason: string;
  message: string;
  done: number;
  total: number;
  /** Nodes that completed. */
  kept: number;
  started: number | null;
  finished: number | null;
  failed: string[];
  failures: number;
  error: { type: string; message: string } | null;
  error_node: string | null;
  asked: number;
  breakpoints: string[];
  seq: number;
}

export interface Preview {
  kind: string;
  type: string;
  text?: string;
  length?: number;
  head?: unknown;
  items?: unknown[];
  rows?: number;
  columns?: number;
  schema?: [string, string][];
  index?: string[];
  memory?: number | null;
  shape?: number[];
  dtype?: string;
  min?: unknown;
  max?: unknown;
  width?: number;
  height?: number;
  png?: string;
  reason?: string;
  size?: number;
  format?: string;
}

export interface Try {
  attempt: number;
  started: number;
  ended?: number;
  how?: string;
  error?: string;
  delay?: number;
}

export interface Detail {
  key: string;
  path: string;
  title?: string;
  type: string;
  status: NodeStatus;
  why: string;
  output?: Preview | null;
  inputs?: { name: string; from: string; value: Preview | null }[];
  log?: string;
  error?: { type: string; message: string; traceback: string } | null;
  tries?: Try[];
  config?: [string, string][];
  breakpoint?: boolean;
}

export interface EdgeDetail {
  edge: string;
  source: string;
  target: string;
  kind: Route["kind"];
  state: EdgeState;
  why: string;
  port?: string;
  parameter?: string;
  condition?: string;
  verdict?: boolean | null;
  value?: Preview;
}

export interface Variable {
  name: string;
  type: string;
  by?: string;
  at?: number;
  seq?: number;
  help?: string;
  secret?: boolean;
  value?: Preview;
  /** What stands in the field that changes it; not there where no field could hold it. */
  text?: string;
  /** It was set while the run rests, which takes it up when it goes on. */
  left?: boolean;
}

/** Seconds that earlier runs took: at work, and each node. */
export interface Expected {
  seconds?: number;
  nodes?: Record<string, number>;
}

export interface EventLine {
  seq: number;
  at: number;
  time: string;
  type: string;
  text: string;
  node?: string;
}

export interface Field {
  name: string;
  kind: "text" | "number" | "integer" | "boolean" | "choice" | "date" | "json";
  title: string;
  hint: string;
  required: boolean;
  options?: (string | number | boolean)[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
}

export interface Question {
  id: string;
  node: string;
  kind: "confirmation" | "input" | "decision" | "review" | "in_doubt";
  status: "pending" | "approved" | "rejected" | "answered" | "expired" | "cancelled";
  question: string;
  details: string;
  ports: string[];
  previews: { name: string; kind: "value" | "diff"; value: Preview }[];
  fields: Field[];
  edits: boolean;
  approvers: string[];
  needed: number;
  votes: { by: string; port: string; comment: string }[];
  asked: number;
  expires: number | null;
  answer?: { port: string; at: number; by: string; comment: string; data: string };
}

/** The data of a question that may be changed. */
export type Editable = { approval?: string } & (
  | { kind: "table"; columns: [string, string[]][]; rows: unknown[][] }
  | { kind: "text" | "json"; text: string }
);

export interface Moment {
  number: number;
  now: number;
  bar: Bar;
  nodes: Record<string, NodeRecord>;
  edges: Record<string, EdgeState>;
  questions: Record<string, Question>;
  selected?: string | null;
  edge?: string | null;
  expected?: Expected;
}

export interface News {
  kind: "news";
  number: number;
  now: number;
  bar?: Bar;
  nodes?: Record<string, NodeRecord>;
  edges?: Record<string, EdgeState>;
  questions?: Record<string, Question>;
  detail?: Detail;
  edge_detail?: EdgeDetail | null;
  variables?: Variable[];
  expected?: Expected;
  past?: PastMoment;
}

/** A moment of the journal for a page that looks back; without `moment` it says how far the journal has been read. */
export interface PastMoment {
  page: string;
  seq: number;
  last: number;
  read?: number;
  at?: number | null;
  moment?: Pick<Moment, "bar" | "nodes" | "edges" | "questions">;
  detail?: Detail;
  edge_detail?: EdgeDetail | null;
  variables?: Variable[];
}

export interface Done {
  kind: "done";
  id: string;
  events?: EventLine[];
  /** The events are the last ones before this. */
  until?: number;
  /** What was taken into the notebook's namespace, as `clean = DataFrame`. */
  took?: string;
  editable?: Editable & { approval: string };
  scene?: Scene;
  moment?: Moment;
}

export type Message = News | Done | { kind: "refused"; id: string; message: string } | { kind: "scene"; scene: Scene } | { kind: "select"; key: string };

// The part of anywidget's model that is used. Nothing is ever saved from here: Python alone says what is.
export interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name: string, callback?: (...args: never[]) => void): void;
  widget_manager?: unknown;
}
