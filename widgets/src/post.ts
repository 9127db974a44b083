// The second way of a click to its run: by POST to the Jupyter server, where the kernel is too busy to hear the first.

import type { Ask } from "./link";
import type { Model } from "./wire";

export interface Letter {
  /** Beneath `flownb/api/`. */
  path: string;
  body: Record<string, unknown>;
}

/** Taken; refused with a sentence; or null where nobody takes it: the kernel does when it is free. */
export type Posted = { taken: boolean; message: string } | null;

interface Settings {
  baseUrl: string;
  token?: string;
  init?: RequestInit;
  fetch: typeof fetch;
  Request: typeof Request;
}

const COMMANDS = new Set(["pause", "resume", "cancel", "step", "retry", "skip", "breakpoint"]);
/** Errors that say what is wrong with what was asked, and not that the server can't help. */
const FINAL = new Set(["Conflict", "InvalidInput"]);

/** What a click is by POST; null for what only the kernel can answer. */
export function letterTo(place: string, run: string, what: Ask): Letter | null {
  const { ask, ...rest } = what;
  if (!place.startsWith("sqlite:")) return null;
  if (ask !== "decide" && !COMMANDS.has(ask)) return null;
  const name = ask === "decide" ? "approve" : ask;
  return { path: `runs/${encodeURIComponent(run)}/${name}`, body: { ...rest, store: place } };
}

export async function post(model: Model, letter: Letter): Promise<Posted> {
  const manager = model.widget_manager as { kernel?: { serverSettings?: Settings } | null } | undefined;
  const settings = manager?.kernel?.serverSettings;
  if (!settings?.fetch) return null;
  try {
    const request = new settings.Request(`${settings.baseUrl}flownb/api/${letter.path}`, {
      ...settings.init,
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(letter.body),
    });
    if (settings.token) request.headers.append("Authorization", `token ${settings.token}`);
    const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
    if (xsrf) request.headers.append("X-XSRFToken", xsrf);
    const said = (await (await settings.fetch.call(null, request)).json()) as Record<string, unknown>;
    if (said["success"] === true) return { taken: true, message: "" };
    return FINAL.has(String(said["error"])) ? { taken: false, message: String(said["message"]) } : null;
  } catch {
    return null; // no such extension, or no server
  }
}
