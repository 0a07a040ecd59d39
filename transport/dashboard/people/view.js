// The view of all users, for admins: their rights, and links by which they set a new password.
import { requestJson, rootUrl, sendJson } from "../shared/api.js";
import { fragment } from "../shared/address.js";
import { button, element, field, select } from "../shared/elements.js";
import { moment, number } from "../shared/formats.js";
import { attempt, list } from "../shared/lists.js";
import { confirmAction, showOnce } from "../shared/messages.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";

export async function show(view, context) {
  const filters = [
    field(translate("search"), element("input", { type: "search", name: "q" })),
    field(translate("role"), select([["", translate("any")], ["user", translate("role.user")], ["admin", translate("role.admin")]], "", { name: "role" })),
  ];
  const users = list({ name: "users", path: "/admin/users", filters, columnsOf: (reload) => columns(context.user, reload), heading: false }, context);
  view.replaceChildren(element("h1", {}, translate("people")), users.root);
  await users.load();
}

function columns(me, reload) {
  const change = async (user, rights, question) => {
    if (!(await confirmAction(question, translate("change")))) return;
    await attempt(async () => {
      await sendJson("PATCH", `/admin/users/${user.id}`, rights);
      await reload();
    });
  };
  const actions = (user) => {
    if (user.id === me.id) return element("span", { class: "dim" }, translate("yourself"));
    const role = user.role === "admin" ? "user" : "admin";
    return element("span", { class: "row" },
      button(translate(`make.${role}`), () => change(user, { role }, translate(`make-sure.${role}`, user.login)), { class: "link" }),
      button(translate(user.active ? "deactivate" : "activate"), () => change(user, { active: !user.active }, translate(user.active ? "deactivate-sure" : "activate-sure", user.login)), { class: "link" }),
      user.active ? button(translate("new-password-link"), () => makeLink(user), { class: "link" }) : null);
  };
  const count = (name) => ({ label: translate(`column.${name}`), numeric: true, of: (user) => number(user[name]) });
  return [
    { label: translate("column.login"), of: (user) => element("strong", {}, user.login) },
    { label: translate("column.role"), of: (user) => element("span", { class: `badge ${user.role}` }, translate(`role.${user.role}`), user.active ? "" : ` · ${translate("inactive")}`) },
    { label: translate("column.last-login"), of: (user) => user.last_login && moment(user.last_login, settings.tz) },
    count("live_sessions"), count("visits"), count("events"), count("tasks"), count("favourites"),
    { label: translate("column.actions"), of: actions },
  ];
}

// The link is shown this once, for the admin to pass on; its token stands behind the `#` and is never sent in a URL.
async function makeLink(user) {
  if (!(await confirmAction(translate("new-password-sure", user.login), translate("new-password-link")))) return;
  await attempt(async () => {
    const { token, expires_at: end } = await requestJson(`/admin/users/${user.id}/password-reset`, { method: "POST" });
    await showOnce(translate("new-password-shown", user.login, moment(end, settings.tz)), [`${rootUrl}/dashboard${fragment("new-password", { token })}`]);
  });
}
