// The columns of lists of sessions and keys, of the reader's own account or, for admins, of another.
import { requestJson } from "./api.js";
import { button, element } from "./elements.js";
import { moment } from "./formats.js";
import { attempt } from "./lists.js";
import { confirmAction } from "./messages.js";
import { settings } from "./settings.js";
import { translate } from "./words.js";

const time = (value) => value && moment(value, settings.tz);

async function end(path, reload) {
  await attempt(async () => {
    await requestJson(path, { method: "DELETE" });
    await reload();
  });
}

// `path`: of the list, such as /sessions.
export const sessionColumns = (path) => (reload) => [
  { label: translate("column.signed-in"), of: (session) => time(session.created_at) },
  { label: translate("column.last-used"), of: (session) => time(session.last_used_at) },
  { label: translate("column.address"), of: (session) => session.address },
  { label: translate("column.agent"), of: (session) => session.agent && element("span", { class: "agent" }, session.agent) },
  { label: translate("column.actions"), of: (session) => session.current ? translate("this-session") : button(translate("end-session"), () => end(`${path}/${session.id}`, reload), { class: "link" }) },
];

export const keyColumns = (path) => (reload) => {
  const endKey = async (key) => {
    if (await confirmAction(translate("key-sure", key.name), translate("end-session"))) await end(`${path}/${key.id}`, reload);
  };
  return [
    { label: translate("column.name"), of: (key) => element("strong", {}, key.name) },
    { label: translate("scopes"), of: (key) => element("span", { class: "dim" }, key.scopes.join(", ")) },
    { label: translate("column.created"), of: (key) => time(key.created_at) },
    { label: translate("column.last-used"), of: (key) => time(key.last_used_at) ?? translate("never") },
    { label: translate("key-end"), of: (key) => time(key.expires_at) ?? translate("never") },
    { label: translate("column.actions"), of: (key) => button(translate("end-session"), () => endKey(key), { class: "link" }) },
  ];
};
