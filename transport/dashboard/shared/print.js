// Printing: what loads when it is scrolled to loads before, as a browser that prints waits for nothing.
import { element } from "./elements.js";
import { fitAll } from "./fit.js";
import { isShare } from "./session.js";

let loadAll = null;
// Where the page on paper is from. The key of a share opens it to whoever reads it: paper does not tell it.
const origin = element("p", { class: "paper-only dim origin" });
document.body.append(origin);
addEventListener("beforeprint", () => {
  origin.textContent = isShare() ? location.origin + location.pathname : location.href;
  setPaper(true);
});
addEventListener("afterprint", () => setPaper(false));

// While a browser prints, the page is as wide as paper.
function setPaper(isPaper) {
  document.documentElement.classList.toggle("paper", isPaper);
  fitAll();
}

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
