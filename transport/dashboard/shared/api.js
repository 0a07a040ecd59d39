// Sends requests to the API with the user's token. The token goes into the Authorization header, never into a URL.
import { lose } from "./connection.js";
import { showNotice } from "./messages.js";
import { endSession, refreshToken, replacePair, token } from "./session.js";
import { translate } from "./words.js";

const MAX_RETRIES = 3;
const MAX_WAIT = 65; // seconds: the server's limits count by the minute
const UNNOTICED = 2; // seconds
// Where the server is, which may stand under a path: this file is at /dashboard/shared/api.js below it.
export const rootUrl = new URL("../..", import.meta.url).href.slice(0, -1);

const AWAY = [502, 503, 504]; // of a proxy, or of a server without its database

const urlOf = (path) => `${rootUrl}${path}`;

// The problem document with which the server answers a request that fails; its status is 0 if there is no answer.
export class Problem extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code || "";
    this.errors = problem.errors || [];
  }
}

async function send(path, options) {
  try {
    return await fetch(urlOf(path), options);
  } catch (error) {
    if (error.name === "AbortError" || options.signal?.aborted) throw error;
    lose();
    throw new Problem(0, {});
  }
}

// Parameters without a value are left out.
function withQuery(path, query = {}) {
  const parameters = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return parameters.length ? `${path}?${new URLSearchParams(parameters)}` : path;
}

let refreshing = null; // requests that need a new token at once wait for the same one

function refreshSession() {
  refreshing ??= getNextPair().finally(() => { refreshing = null; });
  return refreshing;
}

// Resolves to whether there is a new token. Throws a Problem if the server can't say now.
async function getNextPair() {
  const replaced = refreshToken();
  if (!replaced) return false;
  const body = JSON.stringify({ refresh_token: replaced });
  const response = await send("/token/refresh", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (!response.ok && response.status !== 401) throw new Problem(response.status, await response.json().catch(() => ({})));
  if (refreshToken() !== replaced) return token() !== null; // signed out meanwhile, or another tab was faster
  if (response.ok) replacePair(replaced, await response.json());
  return response.ok;
}

// Resolves to a response of status 2xx. Waits and tries again over the rate limit; throws a Problem for all else. After
// a 401 it tries once more with a new token; without one the session ends.
export async function request(path, { query, headers = {}, ...options } = {}) {
  let isRefreshed = false;
  for (let retries = 0; ; retries += 1) {
    const requestToken = token();
    const authorization = requestToken ? { Authorization: `Bearer ${requestToken}` } : {};
    const response = await send(withQuery(path, query), { ...options, headers: { ...headers, ...authorization } });
    if (response.ok) return response;
    const wait = Number(response.headers.get("Retry-After"));
    if (response.status === 429 && requestToken && retries < MAX_RETRIES && wait <= MAX_WAIT) {
      await putOff(wait || 1, options.signal);
      continue;
    }
    if (response.status === 401 && requestToken && !isRefreshed) {
      isRefreshed = true;
      if (requestToken !== token() ? token() !== null : await refreshSession()) continue;
    }
    const problem = await response.json().catch(() => ({}));
    if (response.status === 401 && requestToken && requestToken === token()) endSession("expired");
    if (AWAY.includes(response.status) && ["unavailable", undefined].includes(problem.code)) lose();
    throw new Problem(response.status, problem);
  }
}

let putOffs = 0;
let removeNotice = null;

// Waits as long as the limit of requests says, and tells why nothing comes meanwhile.
async function putOff(seconds, signal) {
  putOffs += 1;
  if (seconds > UNNOTICED) removeNotice ??= showNotice(translate("put-off", seconds), "");
  try {
    await pause(seconds * 1000, signal);
  } finally {
    putOffs -= 1;
    if (!putOffs) {
      removeNotice?.();
      removeNotice = null;
    }
  }
}

export async function requestJson(path, options) {
  const response = await request(path, options);
  return response.headers.get("Content-Type")?.includes("json") ? parseJson(await response.text()) : null;
}

const LONG = /\d{16}/;

// Whole numbers that JavaScript would round, such as the number of a shop's user, are texts of their digits.
const exact = (_name, value, context) => (typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "") ? context.source : value);
const parseJson = (text) => (LONG.test(text) ? JSON.parse(text, exact) : JSON.parse(text));

export function sendJson(method, path, body) {
  return requestJson(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

// Saves a response as a file. A plain link could not, as the request needs the token in a header.
export async function download(path, query, filename) {
  const response = await request(path, { query });
  save(await response.blob(), filename);
}

export function save(blob, filename) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
