// The card of API keys: those there are, and new ones, each shown once.
import { requestJson, sendJson } from "../shared/api.js";
import { button, element, field, newId } from "../shared/elements.js";
import { instantOf, moment } from "../shared/formats.js";
import { form } from "../shared/forms.js";
import { attempt, list } from "../shared/lists.js";
import { confirmAction, showOnce } from "../shared/messages.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";
import { currentPassword, named } from "./profile.js";

const SCOPES = [
  "events:read", "events:write", "imports:read", "imports:write", "live:read", "movies:read", "movies:write",
  "profile:read", "reports:read", "tasks:read", "tasks:write", "visits:read", "visits:write",
];

export function keysCard(context) {
  const keys = list({ name: "keys", path: "/keys", columnsOf: columns }, context);
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

function columns(reload) {
  const end = async (key) => {
    if (!(await confirmAction(translate("key-sure", key.name), translate("end-session")))) return;
    await attempt(async () => {
      await requestJson(`/keys/${key.id}`, { method: "DELETE" });
      await reload();
    });
  };
  const time = (value) => value && moment(value, settings.tz);
  return [
    { label: translate("column.name"), of: (key) => element("strong", {}, key.name) },
    { label: translate("scopes"), of: (key) => element("span", { class: "dim" }, key.scopes.join(", ")) },
    { label: translate("column.created"), of: (key) => time(key.created_at) },
    { label: translate("column.last-used"), of: (key) => time(key.last_used_at) ?? translate("never") },
    { label: translate("key-end"), of: (key) => time(key.expires_at) ?? translate("never") },
    { label: translate("column.actions"), of: (key) => button(translate("end-session"), () => end(key), { class: "link" }) },
  ];
}
