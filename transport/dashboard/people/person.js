// One user, for admins: its sessions and keys, which can be ended here, and what it did.
import { requestJson } from "../shared/api.js";
import { fragment } from "../shared/address.js";
import { sessionColumns, keyColumns } from "../shared/credentials.js";
import { button, element } from "../shared/elements.js";
import { moment, momentToSecond } from "../shared/formats.js";
import { attempt, list } from "../shared/lists.js";
import { confirmAction } from "../shared/messages.js";
import { redraw } from "../shared/redraw.js";
import { settings } from "../shared/settings.js";
import { hasTranslation, translate } from "../shared/words.js";
import { roleBadge, userActions } from "./actions.js";

export async function showPerson(view, id, { signal, user: me }) {
  const path = `/admin/users/${encodeURIComponent(id)}`;
  const user = await requestJson(path, { signal });
  const endAll = (name) => endAllButton(`${path}/${name}`, translate(`end-all-sure.${name}`, user.login), () => load());
  const sessions = list({ name: "sessions-of", path: `${path}/sessions`, columnsOf: sessionColumns(`${path}/sessions`), footer: endAll("sessions") }, { signal });
  const keys = list({ name: "keys-of", path: `${path}/keys`, columnsOf: keyColumns(`${path}/keys`), footer: endAll("keys") }, { signal });
  const activity = list({ name: "activity", path: `${path}/activity`, columnsOf: activityColumns }, { signal });
  const load = () => Promise.all([sessions.load(), keys.load(), activity.load()]);
  redraw(view,
    element("p", { class: "row" }, element("a", { href: fragment("people") }, translate("all-people"))),
    element("h1", {}, user.login), facts(user),
    element("p", {}, userActions(user, me, () => showPerson(view, id, { signal, user: me }))),
    element("div", {}, sessions.root, keys.root, activity.root));
  await load();
}

function facts(user) {
  const name = [user.first_name, user.last_name].filter(Boolean).join(" ");
  return element("p", { class: "row" }, roleBadge(user), name, user.email ?? "",
    element("span", { class: "dim" }, translate("signed-up", moment(user.created_at, settings.tz))));
}

function endAllButton(path, question, load) {
  return button(translate("end-all"), async () => {
    if (!(await confirmAction(question, translate("end-all")))) return;
    await attempt(async () => {
      await requestJson(path, { method: "DELETE" });
      await load();
    });
  }, { class: "link" });
}

function activityColumns() {
  const what = (type) => translate([`audit.${type}`, `activity.${type}`].find(hasTranslation) ?? type);
  return [
    { label: translate("column.time"), of: (each) => momentToSecond(each.at, settings.tz) },
    { label: translate("column.what"), of: (each) => what(each.type) },
    { label: translate("details"), of: (each) => each.detail },
  ];
}
