// The first view: how many came, from where, with what and when, and what they bought. Whatever is clicked filters all.
import { element } from "../shared/elements.js";
import { firstRun } from "../shared/first-run.js";
import { moment } from "../shared/formats.js";
import { onChange } from "../shared/live.js";
import { isShare } from "../shared/session.js";
import { loadNewest, settings, settingsProblem } from "../shared/settings.js";
import { settingsForm } from "../shared/settings-form.js";
import { translate } from "../shared/words.js";
import { DIMENSIONS } from "./dimensions.js";
import { chips } from "./filters.js";
import { heatMapCard } from "./heat-map.js";
import { FALLBACK, statsReader } from "./stats.js";
import { measure, timelineCard } from "./timeline.js";
import { topCard } from "./top.js";
import { totalTiles } from "./totals.js";

const SOURCES = [["all", "source.any"], ["log", "source.log"], ["api", "source.reported"], ["page", "source.page"], ["site", "source.site"]];

export async function show(view, { signal, user, own, setOwn, onSettings, redraw }) {
  const isFixed = isShare(); // a click changes nothing
  if ((await loadNewest(signal)) === null && settings.source === "all") {
    const steps = isFixed ? element("p", {}, translate("no-data")) : firstRun(user, signal, redraw);
    return void view.replaceChildren(element("h1", {}, translate("overview")), steps);
  }
  const reader = statsReader(own, signal);
  let measured = null;
  const parts = {
    reader, own, signal,
    span: () => (measured ??= measure(reader)),
    onFilter: (name, value) => (isFixed ? null : filter(name, value)),
    onPeriod: (period) => {
      if (isFixed) return;
      Object.assign(settings, period);
      drawSettings();
      onSettings();
    },
  };
  const totals = totalTiles(parts);
  const cards = [timelineCard(parts), ...DIMENSIONS.map((dimension) => topCard(dimension, parts)), heatMapCard(parts)];
  const controls = element("div");
  const chipList = element("div");
  const asOf = element("p", { class: "dim as-of" });
  const content = element("div", {}, totals.root, element("div", { class: "overview" }, cards.map((each) => each.root)));
  const drawSettings = () => controls.replaceChildren(settingsForm(onSettings, { fallback: FALLBACK, sources: SOURCES, withTraffic: true }));
  view.replaceChildren(element("h1", {}, translate("overview")), controls, chipList, content, asOf);
  drawSettings();

  function filter(name, value) {
    setOwn({ [name]: value });
    return refresh();
  }

  async function refresh() {
    content.hidden = settingsProblem() !== null;
    if (content.hidden) return;
    reader.forget();
    measured = null;
    chipList.replaceChildren(chips(own, (name) => filter(name, "")));
    await Promise.all([totals.refresh(), ...cards.map((each) => each.refresh())]);
  }

  // What has not changed comes from the browser's cache, and is not drawn again.
  async function refreshData() {
    const newest = await loadNewest(signal);
    asOf.textContent = newest ? translate("as-of", moment(newest, settings.tz)) : "";
    await refresh();
  }
  onChange(() => refreshData().catch(() => {}), signal);
  await refreshData();
  return refreshData;
}
