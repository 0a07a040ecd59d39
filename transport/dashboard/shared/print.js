// Printing: what loads when it is scrolled to loads before, as a browser that prints waits for nothing.
let loadAll = null;

// `load`: resolves when all parts of a view show their data; holds until the signal aborts.
export function onPrint(load, signal) {
  loadAll = load;
  signal.addEventListener("abort", () => { if (loadAll === load) loadAll = null; });
}

export async function printView() {
  await loadAll?.();
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))); // charts are drawn when they have a width
  window.print();
}
