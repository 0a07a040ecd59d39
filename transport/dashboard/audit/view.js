// The view of the audit, for admins: who signed in, and what was done to accounts and imports.
import { element, field, select } from "../shared/elements.js";
import { moment } from "../shared/formats.js";
import { list } from "../shared/lists.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";

const TYPES = [
  "register", "login", "login_failed", "logout", "refresh_reused", "password_changed", "password_reset_created",
  "password_reset_mailed", "totp_enabled", "totp_disabled", "totp_recovery_used", "role_changed", "activated", "deactivated", "deleted", "key_created", "key_ended",
  "session_ended", "import_uploaded", "import_cancelled", "import_undone", "share_created", "share_ended", "site_created", "site_deleted",
];

export async function show(view, context) {
  const text = (name) => element("input", { type: "search", name });
  const date = (name) => element("input", { type: "date", name });
  const filters = [
    field(translate("what"), select([["", translate("any")], ...TYPES.map((type) => [type, translate(`audit.${type}`)])], "", { name: "type" })),
    field(translate("login"), text("login")),
    field(translate("actor"), text("actor")),
    field(translate("from"), date("from")),
    field(translate("to"), date("to")),
  ];
  const audit = list({ name: "audit", path: "/admin/auth-events", filters, query: { tz: settings.tz }, columnsOf: columns, csv: "audit.csv", heading: false }, context);
  view.replaceChildren(element("h1", {}, translate("audit")), audit.root);
  await audit.load();
}

const named = (login) => login && element("span", { class: "name" }, login);

function columns() {
  return [
    { label: translate("column.time"), of: (event) => moment(event.time, settings.tz) },
    { label: translate("column.what"), of: (event) => translate(`audit.${event.type}`) },
    { label: translate("column.login"), of: (event) => named(event.login) },
    { label: translate("actor"), of: (event) => named(event.actor) },
    { label: translate("column.address"), of: (event) => event.address },
    { label: translate("column.agent"), of: (event) => event.agent && element("span", { class: "agent" }, event.agent) },
  ];
}
