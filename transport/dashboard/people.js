// For admins: users with what they may do, the audit, and one's own sessions.
import { askJson, sendJson } from "./api.js";
import { button, element, field, select } from "./elements.js";
import { moment, number } from "./formats.js";
import { confirmed, tell } from "./messages.js";
import { settings } from "./settings.js";
import { table } from "./tables.js";
import { say } from "./words.js";

const PAGE = 50;
const AUDIT = [
  "register", "login", "login_failed", "logout", "password_changed", "role_changed", "activated", "deactivated",
  "key_created", "key_deleted", "deleted",
];

export async function showPeople(view, { signal, user }) {
  const users = list("users", "/admin/users", [
    field(say("search"), element("input", { type: "search", name: "q" })),
    field(say("role"), select([["", say("any")], ["user", say("role.user")], ["admin", say("role.admin")]], "", { name: "role" })),
  ], (row, reload) => userColumns(user, reload), signal);
  const audit = list("audit", "/admin/auth-events", [
    field(say("what"), select([["", say("any")], ...AUDIT.map((type) => [type, say(`audit.${type}`)])], "", { name: "type" })),
    field(say("login"), element("input", { type: "search", name: "login" })),
  ], auditColumns, signal);
  const sessions = list("sessions", "/sessions", [], (_, reload) => sessionColumns(reload), signal);
  view.replaceChildren(element("h1", {}, say("people")), users.root, sessions.root, audit.root);
  await Promise.all([users.load(), sessions.load(), audit.load()]);
}

// A list with its filters, and more of it on demand.
function list(name, path, filters, columnsOf, signal) {
  const content = element("div", { class: "scroll" });
  const more = button(say("more"), () => load(true), { hidden: true });
  const form = element("form", { class: "row own", onsubmit: (event) => { event.preventDefault(); load(); } },
    filters, filters.length ? button(say("show"), null, { type: "submit" }) : null);
  let rows = [];
  let cursor = null;
  async function load(following = false) {
    try {
      const query = { ...Object.fromEntries(new FormData(form)), limit: PAGE, cursor: following ? cursor : null };
      const answer = await askJson(path, { query, signal });
      rows = following ? [...rows, ...answer.items] : answer.items;
      cursor = answer.next;
      more.hidden = !cursor;
      content.replaceChildren(table(say(name), columnsOf(rows, load), rows, { empty: say("nothing-found") }));
    } catch (error) {
      if (error.name !== "AbortError") tell(error.message, "bad");
    }
  }
  const root = element("section", { class: "card", "data-list": name }, element("h2", {}, say(name)), filters.length ? form : null, content, more);
  return { root, load };
}

function userColumns(me, reload) {
  const change = async (user, rights, question) => {
    if (!(await confirmed(question, say("change")))) return;
    try {
      await sendJson("PATCH", `/admin/users/${user.id}`, rights);
      await reload();
    } catch (error) {
      tell(error.message, "bad");
    }
  };
  const actions = (user) => {
    if (user.id === me.id) return element("span", { class: "dim" }, say("yourself"));
    const role = user.role === "admin" ? "user" : "admin";
    return element("span", { class: "row" },
      button(say(`make.${role}`), () => change(user, { role }, say(`make-sure.${role}`, user.login)), { class: "link" }),
      button(say(user.active ? "deactivate" : "activate"), () => change(user, { active: !user.active }, say(user.active ? "deactivate-sure" : "activate-sure", user.login)), { class: "link" }));
  };
  const count = (name) => ({ label: say(`column.${name}`), numeric: true, of: (user) => number(user[name]) });
  return [
    { label: say("column.login"), of: (user) => element("strong", {}, user.login) },
    { label: say("column.role"), of: (user) => element("span", { class: `badge ${user.role}` }, say(`role.${user.role}`), user.active ? "" : ` · ${say("inactive")}`) },
    { label: say("column.last-login"), of: (user) => user.last_login && moment(user.last_login, settings.tz) },
    count("live_sessions"), count("visits"), count("events"), count("tasks"), count("favourites"),
    { label: say("column.actions"), of: actions },
  ];
}

function auditColumns() {
  return [
    { label: say("column.time"), of: (event) => moment(event.time, settings.tz) },
    { label: say("column.what"), of: (event) => say(`audit.${event.type}`) },
    { label: say("column.login"), of: (event) => event.login },
    { label: say("column.address"), of: (event) => event.address },
    { label: say("column.agent"), of: (event) => event.agent && element("span", { class: "agent" }, event.agent) },
  ];
}

function sessionColumns(reload) {
  const end = async (session) => {
    try {
      await askJson(`/sessions/${session.id}`, { method: "DELETE" });
      await reload();
    } catch (error) {
      tell(error.message, "bad");
    }
  };
  return [
    { label: say("column.created"), of: (session) => moment(session.created_at, settings.tz) },
    { label: say("column.last-used"), of: (session) => moment(session.last_used_at, settings.tz) },
    { label: say("column.address"), of: (session) => session.address },
    { label: say("column.agent"), of: (session) => session.agent && element("span", { class: "agent" }, session.agent) },
    { label: say("column.actions"), of: (session) => session.current ? say("this-session") : button(say("end-session"), () => end(session), { class: "link" }) },
  ];
}
