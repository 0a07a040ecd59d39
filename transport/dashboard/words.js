// What the page says, in the reader's language. A word is a text, or a function of the values that stand in it.
import { english } from "./english.js";
import { russian } from "./russian.js";

const LANGUAGES = { en: english, ru: russian };
const KEY = "trawl.language";

export const languages = [
  ["en", "English"],
  ["ru", "Русский"],
];

let language = initial();
document.documentElement.lang = language;

function initial() {
  const kept = localStorage.getItem(KEY);
  if (kept in LANGUAGES) return kept;
  return navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en";
}

export const currentLanguage = () => language;

export function changeLanguage(chosen) {
  language = chosen;
  localStorage.setItem(KEY, chosen);
  document.documentElement.lang = chosen;
}

export function say(name, ...values) {
  const word = LANGUAGES[language][name] ?? english[name] ?? name;
  return typeof word === "function" ? word(...values) : word;
}

// Whether there is such a word, for texts that come in English from the server.
export const knows = (name) => name in LANGUAGES[language];
