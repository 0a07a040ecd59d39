// Waiting for a reader: a hidden page reads nothing anew, and holds no connection, as browsers allow few to one host.
export function untilVisible(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", resolve, { once: true });
    signal?.addEventListener("abort", resolve, { once: true });
  });
}

// Calls `action` each time that so many milliseconds have passed and the page is seen, until the signal aborts.
export async function repeat(action, period, signal) {
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, period));
    await untilVisible(signal);
    if (!signal.aborted) await action();
  }
}
