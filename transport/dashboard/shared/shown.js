// Which period, zone, source and traffic a view shows, in words: on a wall and in a share, which have no controls.
import { day, moment } from "./formats.js";
import { isDate, OWN } from "./period.js";
import { isShare } from "./session.js";
import { currentPeriod, settings } from "./settings.js";
import { translate } from "./words.js";

export const isFixed = () => isShare() || "wall" in document.documentElement.dataset;

// `fallback`: the view's preset, if none is chosen. `sources`: pairs of a source and its word.
export function shownText(fallback, sources) {
  const { tz, source, traffic } = settings;
  const period = settings.period || fallback;
  const span = spanText(currentPeriod(fallback), tz);
  const word = sources.find(([name]) => name === source)?.[1];
  return [
    period === OWN ? span : [translate(`period.${period}`), span].filter(Boolean).join(": "), tz,
    source !== "all" && word ? translate(word) : "", traffic ? translate(`traffic.${traffic}`) : "",
  ].filter(Boolean).join(" · ");
}

// A preset ends at the newest visit: its dates say which days it has.
function spanText({ from, to }, zone) {
  const text = (time) => (time ? (isDate(time) ? day(`${time}T00:00Z`, "UTC") : moment(time, zone)) : "…");
  return from || to ? [...new Set([text(from), text(to)])].join(" – ") : "";
}
