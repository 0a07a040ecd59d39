// Follows /live, one stream for the whole page. EventSource can't send the token in a header, so it is read by fetch.
import { ask, pause } from "./api.js";
import { token } from "./session.js";

const RETRY = 3000; // milliseconds
const KEPT = 120; // seconds

export const live = { state: null, visits: [], events: [], connected: false };
const listeners = new Set();

// Calls back with each second's state, until the signal ends it.
export function onLive(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
  if (live.state) listener(live);
}

// Follows while the page is seen, and again after whatever breaks it off, until the signal ends it.
export async function followLive(signal) {
  while (!signal.aborted && token()) {
    try {
      await seen(signal);
      await follow(signal);
    } catch {
      // The server went away, or the token died: the next turn of the loop finds out which.
    }
    told({ connected: false });
    await pause(RETRY, signal).catch(() => {});
  }
}

async function follow(signal) {
  const stop = new AbortController();
  const ending = () => stop.abort();
  const hiding = () => document.hidden && stop.abort();
  signal.addEventListener("abort", ending);
  document.addEventListener("visibilitychange", hiding);
  try {
    const response = await ask("/live", { signal: stop.signal });
    for await (const data of events(response.body)) receive(JSON.parse(data));
  } finally {
    stop.abort();
    signal.removeEventListener("abort", ending);
    document.removeEventListener("visibilitychange", hiding);
  }
}

// The data of each server-sent event.
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) yield part.slice(6);
  }
}

function receive(state) {
  live.visits = [...live.visits, state.visits_per_second].slice(-KEPT);
  live.events = [...live.events, state.events_per_second].slice(-KEPT);
  told({ state, connected: true });
}

function told(change) {
  Object.assign(live, change);
  for (const listener of listeners) listener(live);
}

// A page that nobody sees holds no connection: browsers allow few to one host.
function seen(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
}
