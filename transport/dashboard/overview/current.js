// How many visitors there were in the last minutes, where the newest visit is that new. A link has no such number.
import { element } from "../shared/elements.js";
import { number } from "../shared/formats.js";
import { isShare } from "../shared/session.js";
import { newestTime } from "../shared/settings.js";
import { repeat } from "../shared/visible.js";
import { translate } from "../shared/words.js";

const MINUTES = 30;
const PERIOD = 60_000; // milliseconds between two readings while no visit comes

export function currentVisitors({ reader, signal }) {
  const root = element("p", { class: "current", role: "status" });
  let readings = 0;

  async function refresh() {
    const current = (readings += 1);
    const since = Date.now() - MINUTES * 60_000;
    if (isShare() || !newestTime() || Date.parse(newestTime()) < since) return void root.replaceChildren();
    try {
      const { items } = await reader.stats({}, { from: new Date(since).toISOString() });
      if (current === readings) root.replaceChildren(translate("current-visitors", number(items[0]?.visitors ?? 0), MINUTES));
    } catch {
      if (current === readings) root.replaceChildren(); // a missing number is not an untrue one
    }
  }
  repeat(refresh, PERIOD, signal);
  return { root, refresh };
}
