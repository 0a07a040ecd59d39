// The view of the seven reports: controls for all of them, and a card for each.
import { requestJson } from "../shared/api.js";
import { layOutInColumns } from "../shared/columns.js";
import { element } from "../shared/elements.js";
import { moment } from "../shared/formats.js";
import { reportCard } from "./card.js";
import { loadNewest, settings, settingsProblem } from "../shared/settings.js";
import { settingsForm } from "../shared/settings-form.js";
import { translate } from "../shared/words.js";

const SOURCES = ["all", "log", "api"].map((name) => [name, `source.${name}`]);
const COLUMN = 25; // rem
const HEIGHTS = [10, 10.4, 6, 5.2, 5.5, 5.6, 4.7]; // of the cards while their details are closed

export async function show(view, { signal, onSettings }) {
  const { items } = await requestJson("/reports", { signal });
  const controls = element("div");
  const cards = element("div", { class: "cards" });
  const asOf = element("p", { class: "dim as-of" });
  view.replaceChildren(element("h1", {}, translate("reports")), controls, asOf, cards);
  const reportCards = items.map((report) => reportCard(report, signal));
  layOutInColumns(cards, reportCards.map((card, index) => [card.root, HEIGHTS[index] ?? 1]), COLUMN, signal);
  controls.replaceChildren(settingsForm(onSettings, { sources: SOURCES }));
  async function refresh() {
    cards.hidden = settingsProblem() !== null;
    if (cards.hidden) return;
    const newest = await loadNewest(signal);
    await Promise.all(reportCards.map((card) => card.load()));
    asOf.textContent = newest ? translate("as-of", moment(newest, settings.tz)) : translate("no-visits");
  }
  await refresh();
  return refresh;
}
