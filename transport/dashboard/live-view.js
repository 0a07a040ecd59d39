// The view of what happens right now: visits and events a second, imports under way, the newest live visits.
import { askJson } from "./api.js";
import { element } from "./elements.js";
import { country, momentToSecond, number, rate } from "./formats.js";
import { importsTable } from "./imports-table.js";
import { live, onLive } from "./live.js";
import { secondsLine } from "./plots.js";
import { settings } from "./settings.js";
import { table } from "./tables.js";
import { say } from "./words.js";

const SECONDS = 120;
const ASK_AGAIN = 4000; // milliseconds between two looks at the list, which counts as a request

export async function showLive(view, { signal }) {
  const visits = meter("visits");
  const events = meter("events");
  const imports = element("div");
  const newest = element("div", { class: "scroll" });
  view.replaceChildren(
    element("h1", {}, say("live")),
    element("p", { class: "dim" }, say("live-hint")),
    element("div", { class: "pair" }, visits.root, events.root),
    element("section", { class: "card" }, element("h2", {}, say("imports-now")), imports),
    element("section", { class: "card" }, element("h2", {}, say("newest-visits")), newest),
  );
  let seen = null;
  let askedAt = 0;
  async function showNewest(total) {
    if (total === seen || Date.now() - askedAt < ASK_AGAIN) return;
    seen = total;
    askedAt = Date.now();
    const query = { source: "api", limit: 10 };
    newest.replaceChildren(visitsTable((await askJson("/visits", { query, signal })).items));
  }
  onLive(({ state, connected }) => {
    view.classList.toggle("stale", !connected);
    if (!state) return;
    visits.update(live.visits, state.visits);
    events.update(live.events, state.events);
    imports.replaceChildren(importsTable(state.imports, { empty: say("no-imports-now") }));
    showNewest(state.visits).catch(() => {}); // asked again with the next change
  }, signal);
  await showNewest(live.state?.visits ?? -1).catch(() => {});
}

function meter(name) {
  const large = element("p", { class: "answer", "data-rate": name }, "—");
  const total = element("p", { class: "dim" });
  const { drawn, update } = secondsLine(SECONDS, say(`${name}-line`, SECONDS));
  const root = element("section", { class: "card meter" }, element("h2", {}, say(`${name}-per-second`)), large, drawn, total);
  return {
    root,
    update(values, counted) {
      large.textContent = rate(values.at(-1));
      total.textContent = say("since-start", number(counted));
      update(values);
    },
  };
}

function visitsTable(visits) {
  const columns = [
    { label: say("column.time"), of: (visit) => momentToSecond(visit.timestamp, settings.tz) },
    { label: say("column.page"), of: (visit) => element("code", {}, visit.page_url) },
    { label: say("country"), of: (visit) => visit.country && country(visit.country, visit.country) },
    { label: say("column.user"), of: (visit) => visit.user_id },
  ];
  return table(say("newest-visits"), columns, visits, { empty: say("no-live-visits") });
}
