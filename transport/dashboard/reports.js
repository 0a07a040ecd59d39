// The view of the seven reports: controls for all of them, and a card for each.
import { requestJson } from "./api.js";
import { layOutInColumns } from "./columns.js";
import { element } from "./elements.js";
import { moment } from "./formats.js";
import { reportCard } from "./report-card.js";
import { setNewestVisit, settings, settingsForm } from "./settings.js";
import { translate } from "./words.js";

const COLUMN = 25; // rem
const HEIGHTS = [10, 10.4, 6, 5.2, 5.5, 5.6, 4.7]; // of the cards while their details are closed

export async function showReports(view, { signal, onSettings }) {
  const { items } = await requestJson("/reports", { signal });
  const controls = element("div");
  const cards = element("div", { class: "cards" });
  const asOf = element("p", { class: "dim as-of" });
  view.replaceChildren(element("h1", {}, translate("reports")), controls, asOf, cards);
  const reportCards = items.map((report) => reportCard(report, signal));
  layOutInColumns(cards, reportCards.map((card, index) => [card.root, HEIGHTS[index] ?? 1]), COLUMN, signal);
  controls.replaceChildren(settingsForm(onSettings));
  async function refresh() {
    const results = await Promise.all(reportCards.map((card) => card.load()));
    const newest = results.find((result) => result?.as_of)?.as_of ?? null;
    setNewestVisit(newest);
    asOf.textContent = newest ? translate("as-of", moment(newest, settings.tz)) : translate("no-visits");
  }
  await refresh();
  return refresh;
}
