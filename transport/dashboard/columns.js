// Cards in as many columns as the window has room for. A card stays in its column when another one grows, which it
// would not with CSS columns: they balance themselves anew.
import { element } from "./elements.js";

const GAP = 16; // pixels

// `cards`: pairs of an element and how high it is, roughly and of any unit. `least`: a column's width in rem.
export function inColumns(root, cards, least, signal) {
  let count = 0;
  function place() {
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const room = Math.max(1, Math.floor((root.clientWidth + GAP) / (least * rem + GAP)));
    if (room === count) return;
    count = room;
    const columns = Array.from({ length: Math.min(count, cards.length) }, () => ({ height: 0, cards: [] }));
    for (const [card, height] of cards) {
      const lowest = columns.reduce((one, other) => (other.height < one.height ? other : one));
      lowest.height += height;
      lowest.cards.push(card);
    }
    root.replaceChildren(...columns.map((column) => element("div", { class: "column" }, column.cards)));
  }
  place();
  const observer = new ResizeObserver(place);
  observer.observe(root);
  signal.addEventListener("abort", () => observer.disconnect());
}
