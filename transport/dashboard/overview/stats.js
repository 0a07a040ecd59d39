// Reads GET /visits/stats for the cards: those that need the same answer share it, and few are asked at a time.
import { request } from "../shared/api.js";
import { previousPeriod } from "../shared/period.js";
import { currentPeriod, settings } from "../shared/settings.js";

export const FALLBACK = "7d";
export const MOST = 1000; // rows of an answer
const AT_ONCE = 3; // the server has four permits for an account
const REFUSED = 422;

// The address names the filters as the API does.
const FILTERS = ["user_id", "page_url", "country", "category", "kind", "referrer", "browser", "os", "device", "status"];

export const filtersOf = (own) => Object.fromEntries(FILTERS.filter((name) => own[name]).map((name) => [name, own[name]]));

// Runs an action once more if a refresh ended what it was reading.
export async function retryOnce(action, signal) {
  try {
    return await action();
  } catch (error) {
    if (error.name !== "AbortError" || signal.aborted) throw error;
    return action();
  }
}

// `onRefusal`: gets the problem of a question that the server does not understand, once; nothing else is asked then.
export function statsReader(own, signal, onRefusal) {
  // Filters of the address may be wrong: until the server has taken them, one question is asked at a time.
  let isTaken = Object.keys(filtersOf(own)).length === 0;
  let answers = new Map();
  let question = new AbortController(); // ends the requests for the current settings and filters
  signal.addEventListener("abort", () => question.abort());
  let running = 0;
  const waiting = [];

  async function limited(action) {
    while (running >= (isTaken ? AT_ONCE : 1)) await new Promise((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await action();
    } finally {
      running -= 1;
      for (const resolve of waiting.splice(0)) resolve();
    }
  }

  // Resolves to {text, items, next}; the text tells whether anything has changed.
  function get(path, query) {
    const key = `${path} ${JSON.stringify(query)}`;
    const current = question.signal;
    if (!answers.has(key)) answers.set(key, limited(async () => {
      current.throwIfAborted();
      try {
        const text = await (await request(path, { query, signal: current })).text();
        isTaken = true;
        return { text, ...JSON.parse(text) };
      } catch (error) {
        current.throwIfAborted(); // others were refused together with this one
        if (error.status !== REFUSED) throw error;
        refuse(error);
        throw question.signal.reason; // the cards say nothing: the view does
      }
    }));
    return answers.get(key);
  }

  function refuse(problem) {
    question.abort();
    isTaken = false;
    onRefusal(problem);
  }

  const common = () => ({ tz: settings.tz, source: settings.source === "all" ? "" : settings.source, traffic: settings.traffic });
  const stats = (query, period = currentPeriod(FALLBACK)) => get("/visits/stats", { ...period, ...common(), ...filtersOf(own), ...query });
  const compare = () => (previousPeriod(currentPeriod(FALLBACK)) ? { compare: "previous" } : {});
  return {
    stats,
    period: () => currentPeriod(FALLBACK),
    // Those that stand beside the period before, if it has one.
    totals: () => stats(compare()),
    kinds: () => stats({ group_by: "kind", ...compare() }),
    kindSeries: (unit) => stats({ group_by: `kind,${unit}`, limit: MOST }),
    carts: () => get("/report/6", { ...currentPeriod(FALLBACK), ...common(), ...compare(), source: settings.source === "all" || settings.source === "log" ? settings.source : "api" }),
    // Starts again: requests for older settings and filters end.
    reset: () => {
      answers = new Map();
      question.abort();
      question = new AbortController();
    },
  };
}
