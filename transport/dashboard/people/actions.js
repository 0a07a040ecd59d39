// What an admin can do to a user: change its rights, and make a link by which it sets a new password.
import { requestJson, rootUrl, sendJson } from "../shared/api.js";
import { fragment } from "../shared/address.js";
import { button, element } from "../shared/elements.js";
import { moment } from "../shared/formats.js";
import { attempt } from "../shared/lists.js";
import { confirmAction, showOnce } from "../shared/messages.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";

export const roleBadge = (user) => element("span", { class: `badge ${user.role}` }, translate(`role.${user.role}`), user.active ? "" : ` · ${translate("inactive")}`);

// `me`: the admin, whose own rights only another admin changes.
export function userActions(user, me, reload) {
  if (user.id === me.id) return element("span", { class: "dim" }, translate("yourself"));
  const change = async (rights, question) => {
    if (!(await confirmAction(question, translate("change")))) return;
    await attempt(async () => {
      await sendJson("PATCH", `/admin/users/${user.id}`, rights);
      await reload();
    });
  };
  const role = user.role === "admin" ? "user" : "admin";
  return element("span", { class: "row" },
    button(translate(`make.${role}`), () => change({ role }, translate(`make-sure.${role}`, user.login)), { class: "link", "data-role": user.id }),
    button(translate(user.active ? "deactivate" : "activate"), () => change({ active: !user.active }, translate(user.active ? "deactivate-sure" : "activate-sure", user.login)), { class: "link", "data-active": user.id }),
    user.active ? button(translate("new-password-link"), () => makeLink(user), { class: "link", "data-link": user.id }) : null);
}

// The link is shown this once, for the admin to pass on; its token stands behind the `#` and is never sent in a URL.
async function makeLink(user) {
  if (!(await confirmAction(translate("new-password-sure", user.login), translate("new-password-link")))) return;
  await attempt(async () => {
    const { token, expires_at: end } = await requestJson(`/admin/users/${user.id}/password-reset`, { method: "POST" });
    await showOnce(translate("new-password-shown", user.login, moment(end, settings.tz)), [`${rootUrl}/dashboard${fragment("new-password", { token })}`]);
  });
}
