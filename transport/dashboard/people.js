// The view for admins: users and their rights, the admin's own sessions, and the audit.
import { requestJson, sendJson } from "./api.js";
import { button, element, field, select } from "./elements.js";
import { moment, number } from "./formats.js";
import { confirmAction, showMessage } from "./messages.js";
import { settings } from "./settings.js";
import { table } from "./tables.js";
import { translate } from "./words.js";

const PAGE = 50;
const AUDIT = [
  "register", "login", "login_failed", "logout", "refresh_reused", "password_changed", "password_reset_created",
  "password_reset_mailed", "totp_enabled", "totp_disabled", "totp_recovery_used", "role_changed", "activated", "deactivated", "deleted", "key_created", "key_ended",
  "session_ended", "import_uploaded", "import_cancelled", "import_undone",
];

export async function showPeople(view, { signal, user }) {
  const users = list("users", "/admin/users", [
    field(translate("search"), element("input", { type: "search", name: "q" })),
    field(translate("role"), select([["", translate("any")], ["user", translate("role.user")], ["admin", translate("role.admin")]], "", { name: "role" })),
  ], (row, reload) => userColumns(user, reload), signal);
  const audit = list("audit", "/admin/auth-events", [
    field(translate("what"), select([["", translate("any")], ...AUDIT.map((type) => [type, translate(`audit.${type}`)])], "", { name: "type" })),
    field(translate("login"), element("input", { type: "search", name: "login" })),
  ], auditColumns, signal);
  const sessions = list("sessions", "/sessions", [], (_, reload) => sessionColumns(reload), signal);
  view.replaceChildren(element("h1", {}, translate("people")), users.root, sessions.root, audit.root);
  await Promise.all([users.load(), sessions.load(), audit.load()]);
}

// Makes a list with its filters, and a button that loads more of it.
function list(name, path, filters, columnsOf, signal) {
  const content = element("div", { class: "scroll" });
  const more = button(translate("more"), () => load(true), { hidden: true });
  const form = element("form", { class: "row own", onsubmit: (event) => { event.preventDefault(); load(); } },
    filters, filters.length ? button(translate("show"), null, { type: "submit" }) : null);
  let rows = [];
  let cursor = null;
  async function load(append = false) {
    try {
      const query = { ...Object.fromEntries(new FormData(form)), limit: PAGE, cursor: append ? cursor : null };
      const page = await requestJson(path, { query, signal });
      rows = append ? [...rows, ...page.items] : page.items;
      cursor = page.next;
      more.hidden = !cursor;
      content.replaceChildren(table(translate(name), columnsOf(rows, load), rows, { empty: translate("nothing-found") }));
    } catch (error) {
      if (error.name !== "AbortError") showMessage(error.message, "bad");
    }
  }
  const root = element("section", { class: "card", "data-list": name }, element("h2", {}, translate(name)), filters.length ? form : null, content, more);
  return { root, load };
}

function userColumns(me, reload) {
  const change = async (user, rights, question) => {
    if (!(await confirmAction(question, translate("change")))) return;
    try {
      await sendJson("PATCH", `/admin/users/${user.id}`, rights);
      await reload();
    } catch (error) {
      showMessage(error.message, "bad");
    }
  };
  const actions = (user) => {
    if (user.id === me.id) return element("span", { class: "dim" }, translate("yourself"));
    const role = user.role === "admin" ? "user" : "admin";
    return element("span", { class: "row" },
      button(translate(`make.${role}`), () => change(user, { role }, translate(`make-sure.${role}`, user.login)), { class: "link" }),
      button(translate(user.active ? "deactivate" : "activate"), () => change(user, { active: !user.active }, translate(user.active ? "deactivate-sure" : "activate-sure", user.login)), { class: "link" }));
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

function auditColumns() {
  return [
    { label: translate("column.time"), of: (event) => moment(event.time, settings.tz) },
    { label: translate("column.what"), of: (event) => translate(`audit.${event.type}`) },
    { label: translate("column.login"), of: (event) => event.login },
    { label: translate("column.address"), of: (event) => event.address },
    { label: translate("column.agent"), of: (event) => event.agent && element("span", { class: "agent" }, event.agent) },
  ];
}

function sessionColumns(reload) {
  const end = async (session) => {
    try {
      await requestJson(`/sessions/${session.id}`, { method: "DELETE" });
      await reload();
    } catch (error) {
      showMessage(error.message, "bad");
    }
  };
  return [
    { label: translate("column.created"), of: (session) => moment(session.created_at, settings.tz) },
    { label: translate("column.last-used"), of: (session) => moment(session.last_used_at, settings.tz) },
    { label: translate("column.address"), of: (session) => session.address },
    { label: translate("column.agent"), of: (session) => session.agent && element("span", { class: "agent" }, session.agent) },
    { label: translate("column.actions"), of: (session) => session.current ? translate("this-session") : button(translate("end-session"), () => end(session), { class: "link" }) },
  ];
}
