// Shows the server's SVG charts within the page, in the reader's language and theme.
import { shape } from "../shared/elements.js";
import { country, dayAndMonth, hourOfDay, number, percent } from "../shared/formats.js";
import { hasTranslation, translate } from "../shared/words.js";

const ELEMENTS = new Set(["svg", "g", "path", "rect", "circle", "text", "title"]);
const ATTRIBUTES = new Set([
  "viewBox", "class", "role", "aria-label", "d", "x", "y", "width", "height", "rx", "r", "cx", "cy",
  "fill-opacity", "fill-rule", "transform",
]);
const LABEL_CHARACTERS = 36;

// No other code parses text. It is parsed as XML, of which only known elements and attributes are copied to the page.
const policy = globalThis.trustedTypes?.createPolicy("charts", { createHTML: (text) => text });

// Reads the report in a chart's metadata, and copies the chart as elements of this page.
export function readChart(text) {
  // The style is for SVG files; the page has its own, and its policy allows no other.
  const unstyled = text.replace(/<style>[^<]*<\/style>/, "");
  const parsed = new DOMParser().parseFromString(policy ? policy.createHTML(unstyled) : unstyled, "image/svg+xml");
  const root = parsed.documentElement;
  if (root.localName !== "svg") throw new Error("the chart can't be read");
  const report = JSON.parse(root.querySelector("metadata").textContent);
  const picture = copy(root, report.parameters.tz);
  // The page shows question and answer itself, so the picture starts at the plot.
  const top = Number(root.dataset.plot);
  const [, , width, height] = root.getAttribute("viewBox").split(" ").map(Number);
  picture.setAttribute("viewBox", `0 ${top} ${width} ${Math.max(height - top, 1)}`);
  picture.removeAttribute("width");
  picture.removeAttribute("height");
  return { report, picture };
}

// Copies known elements and attributes, and nothing else.
function copy(source, zone) {
  const target = shape(source.localName);
  for (const { name, value } of source.attributes) if (ATTRIBUTES.has(name)) target.setAttribute(name, value);
  const text = source.localName === "text" ? localText(source.dataset, zone, source.textContent) : null;
  if (text !== null) {
    target.textContent = text;
    return target;
  }
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) target.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && isCopied(child)) target.append(copy(child, zone));
  }
  return target;
}

const isCopied = (child) => ELEMENTS.has(child.localName) && !("part" in (child.dataset ?? {}));

// Writes the meaning in a text's data attributes in the reader's language; null if it has none.
function localText(data, zone, text) {
  if (data.number !== undefined) return number(Number(data.number));
  if (data.share !== undefined) return percent(Number(data.share));
  if (data.word !== undefined) return hasTranslation(`chart.${data.word}`) ? translate(`chart.${data.word}`) : data.word;
  if (data.hour !== undefined) return hourOfDay(data.hour, zone);
  if (data.day !== undefined) return dayAndMonth(data.day, zone);
  if (data.country !== undefined) return shorten(country(data.country, text));
  if (data.category !== undefined) return text.replaceAll("_", " ");
  return null;
}

const shorten = (text) => (text.length > LABEL_CHARACTERS ? `${text.slice(0, LABEL_CHARACTERS - 1)}…` : text);
