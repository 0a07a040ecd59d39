// Follows /live, one stream for the whole page. EventSource can't send the token in a header, so it is read by fetch.
import { request, pause } from "./api.js";
import { lose } from "./connection.js";
import { token } from "./session.js";
import { untilVisible } from "./visible.js";

const RETRY = 3000; // milliseconds
const HISTORY = 120; // seconds
const STALL_TIMEOUT = 15_000; // milliseconds after which a stream that tells something each second is cut

export const live = { state: null, visits: [], events: [], connected: false };
const listeners = new Set();

// Calls the listener with each second's state until the signal aborts.
export function onLive(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
  if (live.state) listener(live);
}

const SETTLE = 2000; // milliseconds from a change until it is shown
const LEAST_PAUSE = 20_000; // between two reads of a view, each of which takes a dozen of the requests that the limit allows

// Calls the listener soon after visits, events or imports have changed, but not too often, and not before its last
// promise has settled. What has changed while the stream was away is not known: then it is called when that is back.
export function onChange(listener, signal) {
  let last = null;
  let timer = null; // also while the listener is at work
  let isDue = false;
  let calledAt = 0;
  onLive(({ state, connected }) => {
    if (!state) return;
    const current = connected ? JSON.stringify([state.visits, state.events, state.imports.map((record) => [record.id, record.status, record.imported])]) : "away";
    isDue ||= connected && last !== null && current !== last;
    last = current;
    plan();
  }, signal);
  function plan() {
    if (isDue) timer ??= setTimeout(call, Math.max(SETTLE, calledAt + LEAST_PAUSE - Date.now()));
  }
  async function call() {
    isDue = false;
    calledAt = Date.now();
    try {
      await listener();
    } finally {
      timer = null;
      if (!signal.aborted) plan();
    }
  }
  signal.addEventListener("abort", () => clearTimeout(timer));
}

// Follows the stream while the page is visible, and connects again when it ends, until the signal aborts.
export async function followLive(signal) {
  while (!signal.aborted && token()) {
    try {
      await untilVisible(signal);
      await follow(signal);
    } catch {
      // The server is away, or the token is no longer valid: the next request finds out which.
    }
    notify({ connected: false });
    await pause(RETRY, signal).catch(() => {});
  }
}

async function follow(signal) {
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  const onHide = () => document.hidden && stop.abort();
  let stallTimer = null;
  // A network that is cut ends no stream: it just brings no more of it.
  const restartTimer = () => {
    clearTimeout(stallTimer);
    stallTimer = setTimeout(() => {
      lose();
      stop.abort();
    }, STALL_TIMEOUT);
  };
  signal.addEventListener("abort", onAbort);
  document.addEventListener("visibilitychange", onHide);
  try {
    const response = await request("/live", { signal: stop.signal });
    restartTimer();
    for await (const data of events(response.body)) {
      restartTimer();
      receive(JSON.parse(data));
    }
  } finally {
    clearTimeout(stallTimer);
    stop.abort();
    signal.removeEventListener("abort", onAbort);
    document.removeEventListener("visibilitychange", onHide);
  }
}

// Yields the data of each server-sent event.
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
  live.visits = [...live.visits, state.visits_per_second].slice(-HISTORY);
  live.events = [...live.events, state.events_per_second].slice(-HISTORY);
  notify({ state, connected: true });
}

function notify(change) {
  Object.assign(live, change);
  for (const listener of listeners) listener(live);
}
