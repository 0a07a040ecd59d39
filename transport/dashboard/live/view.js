// The view of the present: visits and events a second, imports under way, the newest live visits.
import { requestJson } from "../shared/api.js";
import { element } from "../shared/elements.js";
import { firstRun } from "../shared/first-run.js";
import { country, momentToSecond, number, rate } from "../shared/formats.js";
import { importsTable } from "../imports/table.js";
import { live, onLive } from "../shared/live.js";
import { loadingNote } from "../shared/messages.js";
import { secondsLine } from "../shared/plots.js";
import { settings } from "../shared/settings.js";
import { scroller, table } from "../shared/tables.js";
import { translate } from "../shared/words.js";

const SECONDS = 120;
const NEWEST = 10;
const REFRESH_PERIOD = 10_000; // milliseconds between two requests for the list, which the rate limit counts

export async function show(view, { signal, user, redraw }) {
  const visits = meter("visits");
  const events = meter("events");
  const imports = scroller(translate("imports-now"));
  const newest = scroller(translate("newest-visits"), loadingNote());
  view.replaceChildren(
    element("h1", {}, translate("live")),
    element("p", { class: "dim" }, translate("live-hint")),
    element("div", { class: "pair" }, visits.root, events.root),
    element("section", { class: "card" }, element("h2", {}, translate("imports-now")), imports),
    element("section", { class: "card" }, element("h2", {}, translate("newest-visits")), newest),
  );
  let lastTotal = null;
  let refreshedAt = 0;
  async function showNewest(total) {
    if (total === lastTotal || Date.now() - refreshedAt < REFRESH_PERIOD) return;
    refreshedAt = Date.now();
    // A visit of a log is not a live one: those of the other sources are merged, newest first.
    const pages = await Promise.all(["api", "page", "site"].map((source) => requestJson("/visits", { query: { source, limit: NEWEST }, signal })));
    const visits = pages.flatMap((page) => page.items).sort((one, other) => Date.parse(other.timestamp) - Date.parse(one.timestamp));
    lastTotal = total;
    newest.replaceChildren(visits.length ? visitsTable(visits.slice(0, NEWEST)) : firstRun(user, signal, redraw));
  }
  onLive(({ state, connected }) => {
    view.classList.toggle("stale", !connected);
    if (!state) return;
    visits.update(live.visits, state.visits);
    events.update(live.events, state.events);
    imports.replaceChildren(importsTable(state.imports, { empty: translate("no-imports-now") }));
    showNewest(state.visits).catch(() => {}); // requested again with one of the next seconds
  }, signal);
  await showNewest(live.state?.visits ?? -1).catch(() => {});
}

function meter(name) {
  const large = element("p", { class: "answer", "data-rate": name }, "—");
  const total = element("p", { class: "dim" });
  const { picture, update } = secondsLine(SECONDS, translate(`${name}-line`, SECONDS));
  const root = element("section", { class: "card meter" }, element("h2", {}, translate(`${name}-per-second`)), large, picture, total);
  return {
    root,
    update(values, count) {
      large.textContent = rate(values.at(-1));
      total.textContent = translate("since-start", number(count));
      update(values);
    },
  };
}

function visitsTable(visits) {
  const columns = [
    { label: translate("column.time"), of: (visit) => momentToSecond(visit.timestamp, settings.tz) },
    { label: translate("column.page"), of: (visit) => element("code", {}, visit.page_url) },
    { label: translate("country"), of: (visit) => visit.country && country(visit.country) },
    { label: translate("column.user"), of: (visit) => visit.user_id },
  ];
  return table(translate("newest-visits"), columns, visits, { empty: translate("no-live-visits") });
}
