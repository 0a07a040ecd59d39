// The card of API keys: those there are, and new ones, each shown once.
import { sendJson } from "../shared/api.js";
import { keyColumns } from "../shared/credentials.js";
import { element, field, newId } from "../shared/elements.js";
import { instantOf } from "../shared/formats.js";
import { form } from "../shared/forms.js";
import { list } from "../shared/lists.js";
import { showOnce } from "../shared/messages.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";
import { currentPassword, named } from "./profile.js";

const SCOPES = [
  "events:read", "events:write", "imports:read", "imports:write", "live:read", "movies:read", "movies:write",
  "profile:read", "reports:read", "tasks:read", "tasks:write", "visits:read", "visits:write",
];

export function keysCard(context) {
  const keys = list({ name: "keys", path: "/keys", columnsOf: keyColumns("/keys"), empty: () => element("p", { class: "dim" }, translate("no-keys")) }, context);
  const name = field(translate("key-name"), element("input", { name: "name", autocomplete: "off" }), translate("key-name-hint"));
  const end = field(translate("key-end"), element("input", { name: "expires_at", type: "date" }), translate("key-end-hint"));
  const scopes = element("fieldset", {}, element("legend", {}, translate("scopes")), SCOPES.map((scope) => {
    const box = element("input", { type: "checkbox", id: newId(), value: scope });
    return element("span", { class: "check" }, box, " ", element("label", { for: box.id }, scope));
  }));
  const create = form([name, scopes, end, currentPassword()], translate("key-create"), async ({ name: keyName, expires_at: date, ...rest }) => {
    const chosen = [...scopes.querySelectorAll(":checked")].map((box) => box.value);
    const key = { name: keyName, scopes: chosen, ...named({ expires_at: date && instantOf(`${date}T00:00`, settings.tz), ...rest }) };
    const created = await sendJson("POST", "/keys", key);
    create.reset();
    await keys.load();
    await showOnce(translate("key-shown", created.name), [created.key]);
  });
  keys.root.append(element("details", {}, element("summary", {}, translate("key-new")), element("p", { class: "dim" }, translate("key-hint")), create));
  return keys;
}
