// The filters of the overview as chips, each of which takes its filter away; in a share and on a wall they only tell.
import { button, element } from "../shared/elements.js";
import { translate } from "../shared/words.js";
import { valueText } from "./dimensions.js";
import { filtersOf } from "./stats.js";

export function chips(own, onRemove) {
  const filters = Object.entries(filtersOf(own));
  if (!filters.length) return onRemove ? element("p", { class: "dim chips screen-only" }, translate("click-filters")) : "";
  return element("ul", { class: "chips", "aria-label": translate("filters") }, filters.map(([name, value]) => {
    const text = `${translate(`filter.${name}`)}: ${valueText(name, value)}`;
    if (!onRemove) return element("li", { class: "chip" }, text);
    return element("li", {}, button([text, element("span", { class: "screen-only" }, " ×")], () => onRemove(name), { class: "chip", "aria-label": translate("remove-filter", text) }));
  }));
}
