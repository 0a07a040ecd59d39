// What stands where there are no visits yet: the next steps, each a button.
import { requestJson, rootUrl } from "./api.js";
import { button, element, isBusy, setBusy } from "./elements.js";
import { fragment } from "./address.js";
import { attempt } from "./lists.js";
import { copyText } from "./messages.js";
import { isShare, token } from "./session.js";
import { translate } from "./words.js";

export function firstRun(user, signal, redraw) {
  if (isShare()) return element("p", { class: "notice" }, translate("no-visits"));
  const step = (name, ...parts) => element("section", { class: "card step", "data-step": name }, element("h2", {}, translate(`step.${name}`)), element("p", { class: "dim" }, translate(`step-hint.${name}`)), parts);
  const parse = button(translate("parse-log"), () => attempt(async () => {
    if (isBusy(parse)) return;
    setBusy(parse, true);
    await requestJson("/parse", { method: "POST", query: { wait: 30 }, signal }).finally(() => setBusy(parse, false));
    await redraw();
  }), { class: "primary" });
  const isAdmin = user.role === "admin";
  const link = (view) => element("a", { class: "button", href: fragment(view) }, translate(`open.${view}`));
  return element("div", {}, element("p", {}, translate("no-visits-yet")),
    element("div", { class: "pair" },
      step("log", parse),
      isAdmin ? step("upload", link("imports")) : null,
      isAdmin ? step("snippet", link("sites")) : null,
      step("curl", command("/visits", '{"page_url": "/fresh_fish/"}'))));
}

export function firstEvent() {
  const event = { event_id: crypto.randomUUID(), user_id: 7, event_type: "purchase", occurred_at: new Date().toISOString(), properties: {} };
  return element("div", {}, element("p", {}, translate("no-events-yet")),
    element("section", { class: "card step", "data-step": "curl" }, element("h2", {}, translate("step.event")), command("/events", JSON.stringify({ events: [event] }))));
}

// The token is in what is copied, and not in the page.
function command(path, body) {
  const text = (authorization) => `curl -X POST ${rootUrl}${path} -H "Authorization: Bearer ${authorization}" -H "Content-Type: application/json" -d '${body}'`;
  const copy = button(translate("copy-with-token"), () => copyText(copy, text(token())));
  return element("div", {}, element("pre", {}, element("code", {}, text("…"))), copy);
}
