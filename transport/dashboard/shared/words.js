// The page's texts in the reader's language. An entry is a text, or a function of the values in the text.
import { english } from "./english.js";
import { russian } from "./russian.js";

const LANGUAGES = { en: english, ru: russian };
const KEY = "trawl.language";

export const languages = [
  ["en", "English"],
  ["ru", "Русский"],
];

let language = initialLanguage();
document.documentElement.lang = language;

function initialLanguage() {
  const stored = localStorage.getItem(KEY);
  if (stored in LANGUAGES) return stored;
  return navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en";
}

export const currentLanguage = () => language;

export function changeLanguage(code) {
  language = code;
  localStorage.setItem(KEY, code);
  document.documentElement.lang = code;
}

export function translate(name, ...values) {
  const entry = LANGUAGES[language][name] ?? english[name] ?? name;
  return typeof entry === "function" ? entry(...values) : entry;
}

// Tells whether the reader's language has such a text, for those that come in English from the server.
export const hasTranslation = (name) => name in LANGUAGES[language];
