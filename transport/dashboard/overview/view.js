// The first view: how many came, from where, with what and when, and what they bought. Whatever is clicked filters all.
import { element } from "../shared/elements.js";
import { firstRun } from "../shared/first-run.js";
import { moment } from "../shared/formats.js";
import { problemText } from "../shared/forms.js";
import { onChange } from "../shared/live.js";
import { onPrint } from "../shared/print.js";
import { isShare } from "../shared/session.js";
import { loadNewest, settings, settingsProblem } from "../shared/settings.js";
import { settingsForm } from "../shared/settings-form.js";
import { isFixed, shownText } from "../shared/shown.js";
import { translate } from "../shared/words.js";
import { currentVisitors } from "./current.js";
import { DIMENSIONS } from "./dimensions.js";
import { chips } from "./filters.js";
import { heatMapCard } from "./heat-map.js";
import { FALLBACK, statsReader } from "./stats.js";
import { measure, readSeries } from "./series.js";
import { timelineCard } from "./timeline.js";
import { topCard } from "./top.js";
import { totalTiles } from "./totals.js";
import { untilDrawn } from "./world.js";

const SOURCES = [["all", "source.any"], ["log", "source.log"], ["api", "source.reported"], ["page", "source.page"], ["site", "source.site"]];

export async function show(view, { signal, user, own, setOwn, onSettings, redraw }) {
  const newest = await loadNewest(signal);
  if (newest === null && settings.source === "all") {
    const steps = isShare() ? element("p", {}, translate("no-data")) : firstRun(user, signal, redraw);
    return void view.replaceChildren(element("h1", {}, translate("overview")), steps);
  }
  const reader = statsReader(own, signal, showRefusal);
  let measured = null;
  let series = null;
  const parts = {
    reader, own, setOwn, signal,
    span: () => (measured ??= measure(reader)),
    series: () => (series ??= parts.span().then((span) => readSeries(reader, span))),
    onFilter: isFixed() ? null : filter,
    onPeriod: isFixed() ? null : (period) => {
      Object.assign(settings, period);
      drawSettings();
      onSettings();
    },
  };
  const totals = totalTiles(parts);
  const cards = [timelineCard(parts), ...DIMENSIONS.map((dimension) => topCard(dimension, parts)), heatMapCard(parts)];
  const current = currentVisitors(parts);
  const controls = element("div");
  const trouble = element("p", { class: "trouble", role: "alert" });
  const chipList = element("div");
  const shown = element("p", { class: "shown" });
  const asOf = element("p", { class: "dim as-of" });
  const content = element("div", {}, totals.root, element("div", { class: "overview" }, cards.map((each) => each.root)),
    element("p", { class: "paper-only" }, translate("not-all-printed")));
  const drawSettings = () => controls.replaceChildren(settingsForm(onSettings, { fallback: FALLBACK, sources: SOURCES, withTraffic: true }));
  view.replaceChildren(element("div", { class: "row headline" }, element("h1", {}, translate("overview")), current.root), controls, shown, chipList, trouble, content, asOf);
  drawSettings();

  function filter(name, value) {
    setOwn({ [name]: value });
    return refresh();
  }

  let reading = null; // the newest read of all cards

  function refresh() {
    reading = read();
    return reading;
  }

  async function read() {
    content.hidden = settingsProblem() !== null;
    trouble.textContent = "";
    if (content.hidden) return;
    shown.textContent = shownText(FALLBACK, SOURCES);
    reader.reset();
    measured = null;
    series = null;
    drawChips();
    const first = [totals.refresh(), cards[0].refresh()]; // go first
    await new Promise((resolve) => setTimeout(resolve));
    current.refresh();
    await Promise.all([...first, ...cards.slice(1).map((each) => each.refresh())]);
  }

  // Who takes a filter away by keyboard is at the next one, or at the view's beginning.
  function drawChips() {
    const hadFocus = chipList.contains(document.activeElement);
    chipList.replaceChildren(chips(own, isFixed() ? null : (name) => filter(name, "")));
    if (hadFocus) (chipList.querySelector("button") ?? document.getElementById("main")).focus({ preventScroll: true });
  }

  // A wrong filter of the address has one message, and no stale numbers.
  function showRefusal(problem) {
    trouble.textContent = problemText(problem);
    content.hidden = true;
  }

  const showTime = (time) => { asOf.textContent = time ? translate("as-of", moment(time, settings.tz)) : ""; };

  // What has not changed comes from the browser's cache, and is not drawn again.
  async function refreshData() {
    showTime(await loadNewest(signal));
    await refresh();
  }
  onPrint(async () => {
    await Promise.all(cards.map((each) => each.loadUnseen()));
    await untilDrawn();
  }, signal);
  // A read that is under way is not broken off: on a slow server with steady visits its last cards would never come.
  onChange(() => reading.catch(() => {}).then(refreshData).catch(() => {}), signal);
  showTime(newest);
  await refresh();
  return refreshData;
}
