// The view of the seven reports: controls for all, and a card each.
import { askJson } from "./api.js";
import { inColumns } from "./columns.js";
import { element } from "./elements.js";
import { moment } from "./formats.js";
import { reportCard } from "./report-card.js";
import { noteNewest, settings, settingsForm } from "./settings.js";
import { say } from "./words.js";

const COLUMN = 25; // rem
const HEIGHTS = [10, 10.4, 6, 5.2, 5.5, 5.6, 4.7]; // of the cards, as they are before anything is opened

export async function showReports(view, { signal, onSettings }) {
  const { items } = await askJson("/reports", { signal });
  const controls = element("div");
  const cards = element("div", { class: "cards" });
  const asOf = element("p", { class: "dim as-of" });
  view.replaceChildren(element("h1", {}, say("reports")), controls, asOf, cards);
  const made = items.map((report) => reportCard(report, signal));
  inColumns(cards, made.map((card, index) => [card.root, HEIGHTS[index] ?? 1]), COLUMN, signal);
  controls.replaceChildren(settingsForm(onSettings));
  async function refresh() {
    const results = await Promise.all(made.map((card) => card.load()));
    const newest = results.find((result) => result?.as_of)?.as_of ?? null;
    noteNewest(newest);
    asOf.textContent = newest ? say("as-of", moment(newest, settings.tz)) : say("no-visits");
  }
  await refresh();
  return refresh;
}
