// The view of the reader's own account: profile, password, second factor, sessions and keys.
import { requestJson } from "../shared/api.js";
import { button, element } from "../shared/elements.js";
import { moment } from "../shared/formats.js";
import { attempt, list } from "../shared/lists.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";
import { keysCard } from "./keys.js";
import { deleteCard, passwordCard, profileCard } from "./profile.js";
import { secondFactorCard } from "./second-factor.js";

export async function show(view, context) {
  const { signal, user } = context;
  const factor = secondFactorCard(signal);
  const sessions = list({ name: "sessions", path: "/sessions", columnsOf: sessionColumns }, { signal });
  const keys = keysCard({ signal });
  view.replaceChildren(element("h1", {}, translate("account")),
    element("div", { class: "pair" }, profileCard(user), passwordCard(sessions, keys), factor.root),
    sessions.root, keys.root, deleteCard(user));
  await Promise.all([factor.load(), sessions.load(), keys.load()]);
}

function sessionColumns(reload) {
  const end = (session) => attempt(async () => {
    await requestJson(`/sessions/${session.id}`, { method: "DELETE" });
    await reload();
  });
  return [
    { label: translate("column.signed-in"), of: (session) => moment(session.created_at, settings.tz) },
    { label: translate("column.last-used"), of: (session) => moment(session.last_used_at, settings.tz) },
    { label: translate("column.address"), of: (session) => session.address },
    { label: translate("column.agent"), of: (session) => session.agent && element("span", { class: "agent" }, session.agent) },
    { label: translate("column.actions"), of: (session) => session.current ? translate("this-session") : button(translate("end-session"), () => end(session), { class: "link" }) },
  ];
}
