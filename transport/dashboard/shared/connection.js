// Whether the server answers. While it does not, the page says so and asks again; once it does, what failed is read anew.
import { showNotice } from "./messages.js";
import { translate } from "./words.js";
import { untilVisible } from "./visible.js";

const FIRST = 1000; // milliseconds from a failure to the first question
const LONGEST = 60_000; // the same, where requests fail again and again though the server answers
const PAUSE = 3000; // between two questions to a server that is away
const PATIENCE = 5000; // for an answer

const listeners = new Set();
let wait = FIRST;
let backAt = 0;
let isLost = false;

// Calls the listener after a failure, once the server answers, until the signal aborts. `wasAway`: it did not answer at first.
export function onBack(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
}

// What calls this had no answer.
export async function lose() {
  if (isLost) return;
  isLost = true;
  if (Date.now() - backAt > 2 * LONGEST) wait = FIRST;
  const removeNotice = await untilBack();
  removeNotice?.();
  wait = removeNotice ? FIRST : Math.min(2 * wait, LONGEST);
  backAt = Date.now();
  isLost = false;
  for (const listener of [...listeners]) listener(Boolean(removeNotice));
}

// Resolves to what removes the notice, if there was time for one.
async function untilBack() {
  let removeNotice = null;
  await sleep(wait);
  while (!(await answers())) {
    removeNotice ??= showNotice(translate("offline"));
    await sleep(PAUSE);
    await untilVisible();
  }
  return removeNotice;
}

// A browser that is on the network again says so at once.
const sleep = (milliseconds) => new Promise((resolve) => {
  setTimeout(resolve, milliseconds);
  addEventListener("online", resolve, { once: true });
});

async function answers() {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    return (await fetch(new URL("../..", import.meta.url), { cache: "no-store", signal: stop.signal })).ok;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

addEventListener("offline", lose);
