// What visits are grouped and filtered by: the API's group, the field of its rows, and the filter that a click sets. Those
// of the same pair share an answer.
import { country } from "../shared/formats.js";
import { hasTranslation, translate } from "../shared/words.js";

export const DIMENSIONS = [
  { name: "pages", group: "page", filter: "page_url" },
  { name: "categories", group: "category", filter: "category" },
  { name: "products", group: "page", filter: "page_url", query: { kind: "product" } },
  { name: "countries", group: "country", filter: "country" },
  { name: "referrers", group: "referrer", filter: "referrer" },
  { name: "browsers", group: "browser", filter: "browser", pair: "browser,os" },
  { name: "systems", group: "os", filter: "os", pair: "browser,os" },
  { name: "devices", group: "device", filter: "device", pair: "device,status" },
  { name: "statuses", group: "status", filter: "status", pair: "device,status" },
  { name: "kinds", group: "kind", filter: "kind" },
];

// Returns how a value of a filter is written for the reader.
export function valueText(filter, value) {
  if (value === null) return translate(hasTranslation(`none.${filter}`) ? `none.${filter}` : "none");
  if (filter === "country") return country(value);
  if (filter === "kind" || filter === "device") return hasTranslation(`${filter}.${value}`) ? translate(`${filter}.${value}`) : value;
  if (filter === "page_url") return value.replace(/^https?:\/\//, "");
  return filter === "category" ? value.replaceAll("_", " ") : String(value);
}

// Returns how the pages of products are written. Those of several categories may have one name: then more of the address
// tells them apart.
export function productTexts(urls) {
  const names = urls.map(productText);
  const isShared = repeats(names);
  const longer = names.map((name, index) => (isShared(name) ? `${name} · ${productText(parent(urls[index]))}` : name));
  const isStillShared = repeats(longer);
  return longer.map((text, index) => (isStillShared(text) ? valueText("page_url", urls[index]) : text));
}

const parent = (url) => url.replace(/[?#].*$/, "").replace(/[^/]*\/*$/, "");

function repeats(texts) {
  const seen = new Set();
  const twice = new Set(texts.filter((text) => seen.has(text) || !seen.add(text)));
  return (text) => twice.has(text);
}

// The name of a product is the last part of its page's path.
function productText(pageUrl) {
  const name = pageUrl.replace(/[?#].*$/, "").split("/").filter(Boolean).at(-1) ?? pageUrl;
  try {
    return decodeURIComponent(name).replaceAll("_", " ");
  } catch {
    return name;
  }
}
