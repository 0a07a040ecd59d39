// The view of the seven reports: their answers in one row, then a card for each with chart, parameters and rows.
import { requestJson } from "../shared/api.js";
import { layOutInColumns } from "../shared/columns.js";
import { element } from "../shared/elements.js";
import { firstRun } from "../shared/first-run.js";
import { moment } from "../shared/formats.js";
import { onChange } from "../shared/live.js";
import { isShare } from "../shared/session.js";
import { loadNewest, settings, settingsProblem } from "../shared/settings.js";
import { settingsForm } from "../shared/settings-form.js";
import { shownText } from "../shared/shown.js";
import { translate } from "../shared/words.js";
import { reportCard } from "./card.js";

const SOURCES = [["all", "source.any"], ["log", "source.log"], ["api", "source.api"]];
const COLUMN = 22; // rem: two in a window of 768 pixels
const HEIGHTS = [10, 10.4, 6, 5.2, 5.5, 5.6, 4.7]; // of the cards while their details are closed
const MOST_CATEGORIES = 1000;

export async function show(view, { signal, user, own, setOwn, onSettings, redraw }) {
  const { items } = await requestJson("/reports", { signal });
  const withTraffic = items.some((report) => report.parameters.some((parameter) => parameter.name === "traffic"));
  const steps = element("div");
  const shown = element("p", { class: "shown" });
  const asOf = element("p", { class: "dim as-of" });
  const cards = items.map((report) => reportCard(report, { signal, own, setOwn, withTraffic }));
  const columns = element("div", { class: "cards" });
  const content = element("div", {}, element("div", { class: "tiles answers" }, cards.map((card) => card.tile)), steps, columns);
  view.replaceChildren(element("h1", {}, translate("reports")), settingsForm(onSettings, { sources: SOURCES, withTraffic }), shown, content, asOf);
  layOutInColumns(columns, cards.map((card, index) => [card.root, HEIGHTS[index] ?? 1]), COLUMN);

  let reading = null; // the newest read of all cards

  function refresh() {
    reading = read();
    return reading;
  }

  async function read() {
    content.hidden = settingsProblem() !== null;
    if (content.hidden) return;
    const newest = await loadNewest(signal);
    shown.textContent = shownText("all", SOURCES);
    await Promise.all([showCategories(), ...cards.map((card) => card.load())]);
    asOf.textContent = newest ? translate("as-of", moment(newest, settings.tz)) : "";
    steps.replaceChildren(newest || isShare() || settings.source !== "all" ? "" : firstRun(user, signal, redraw));
  }
  // Without the list, the categories that were chosen can still be read.
  async function showCategories() {
    const categories = await loadCategories(signal).catch(() => null);
    if (categories) for (const card of cards) card.showCategories(categories);
  }
  onChange(() => reading.catch(() => {}).then(refresh).catch(() => {}), signal);
  await refresh();
  return refresh;
}

// Who has a link to the reports reads them and nothing else, and can't choose.
async function loadCategories(signal) {
  if (isShare()) return [];
  const { items } = await requestJson("/visits/stats", { query: { group_by: "category", limit: MOST_CATEGORIES }, signal });
  return items.map((item) => item.category).filter((category) => category !== null).sort();
}
