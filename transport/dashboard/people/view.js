// The view of all users, for admins: what they have and may, and one of them in detail.
import { fragment } from "../shared/address.js";
import { element, field, select } from "../shared/elements.js";
import { moment, number } from "../shared/formats.js";
import { list } from "../shared/lists.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";
import { roleBadge, userActions } from "./actions.js";
import { showPerson } from "./person.js";

export async function show(view, context) {
  if (context.own.user) return showPerson(view, context.own.user, context);
  const filters = [
    field(translate("search"), element("input", { type: "search", name: "q" })),
    field(translate("role"), select([["", translate("any")], ["user", translate("role.user")], ["admin", translate("role.admin")]], "", { name: "role" })),
  ];
  const users = list({ name: "users", path: "/admin/users", filters, columnsOf: (reload) => columns(context.user, reload), heading: false }, context);
  view.replaceChildren(element("h1", {}, translate("people")), users.root);
  await users.load();
}

function columns(me, reload) {
  const count = (name) => ({ label: translate(`column.${name}`), numeric: true, of: (user) => number(user[name]) });
  const link = (user) => element("a", { href: fragment("people", { user: user.id }), "aria-label": translate("details-of", user.login) }, element("strong", {}, user.login));
  return [
    { label: translate("column.login"), of: link },
    { label: translate("column.role"), of: roleBadge },
    { label: translate("column.last-login"), of: (user) => user.last_login && moment(user.last_login, settings.tz) },
    count("live_sessions"), count("visits"), count("events"), count("tasks"), count("favourites"),
    { label: translate("column.actions"), of: (user) => userActions(user, me, reload) },
  ];
}
