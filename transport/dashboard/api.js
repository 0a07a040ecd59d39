// Asks the API with the token of who signed in. The token goes into the Authorization header, never into a URL.
import { end, token } from "./session.js";

const MAX_WAITS = 3;
const MAX_WAIT = 65; // seconds: the server's limits count by the minute

// What the server answers to a request that fails: its problem document.
export class Problem extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code || "";
    this.errors = problem.errors || [];
  }
}

export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

export async function ask(path, { query, headers = {}, ...options } = {}) {
  for (let waits = 0; ; waits += 1) {
    const sent = token();
    const authorization = sent ? { Authorization: `Bearer ${sent}` } : {};
    const response = await fetch(address(path, query), { ...options, headers: { ...headers, ...authorization } });
    if (response.ok) return response;
    const wait = Number(response.headers.get("Retry-After"));
    if (response.status === 429 && sent && waits < MAX_WAITS && wait <= MAX_WAIT) {
      await pause((wait || 1) * 1000, options.signal);
      continue;
    }
    const problem = await response.json().catch(() => ({}));
    if (response.status === 401 && sent && sent === token()) end("expired");
    throw new Problem(response.status, problem);
  }
}

export async function askJson(path, options) {
  const response = await ask(path, options);
  return response.status === 204 ? null : response.json();
}

export function sendJson(method, path, body) {
  return askJson(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

// Saves what the API answers as a file. The token is in the request, so a plain link could not.
export async function download(path, query, filename) {
  const response = await ask(path, { query });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
