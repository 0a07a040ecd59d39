// The fragment of the page's URL: the view's name, then the settings of all views, then what is the view's own.
import { SETTINGS } from "./settings.js";

export const address = { name: "", own: {} };

// Reads the fragment. Resolves nothing: an unknown name is the caller's matter.
export function readAddress() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  const parameters = new URLSearchParams(query);
  address.name = name;
  address.own = Object.fromEntries([...parameters].filter(([key]) => !SETTINGS.includes(key)));
  return parameters;
}

// Returns the fragment of a view; parameters without a value are left out.
export function fragment(name, ...parameters) {
  const pairs = parameters.flatMap((each) => Object.entries(each)).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return pairs.length ? `#${name}?${new URLSearchParams(pairs)}` : `#${name}`;
}
