// Lays out cards in as many columns as the window has room for. Unlike with CSS columns, a card stays in its column when
// another one grows.
import { element } from "./elements.js";
import { onWidth } from "./fit.js";

const GAP = 16; // pixels

// `cards`: pairs of an element and its rough height, of any unit. `minWidth`: of a column, in rem.
export function layOutInColumns(root, cards, minWidth) {
  let count = 0;
  function layOut() {
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const newCount = Math.max(1, Math.floor((root.clientWidth + GAP) / (minWidth * rem + GAP)));
    if (newCount === count) return;
    count = newCount;
    const columns = Array.from({ length: Math.min(count, cards.length) }, () => ({ height: 0, cards: [] }));
    for (const [card, height] of cards) {
      const lowest = columns.reduce((one, other) => (other.height < one.height ? other : one));
      lowest.height += height;
      lowest.cards.push(card);
    }
    root.replaceChildren(...columns.map((column) => element("div", { class: "column" }, column.cards)));
  }
  layOut();
  onWidth(root, layOut);
}
