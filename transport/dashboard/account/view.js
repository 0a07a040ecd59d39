// The view of the reader's own account: profile, password, second factor, sessions and keys.
import { sessionColumns } from "../shared/credentials.js";
import { element } from "../shared/elements.js";
import { list } from "../shared/lists.js";
import { translate } from "../shared/words.js";
import { keysCard } from "./keys.js";
import { deleteCard, passwordCard, profileCard } from "./profile.js";
import { secondFactorCard } from "./second-factor.js";

export async function show(view, context) {
  const { signal, user } = context;
  const factor = secondFactorCard(signal);
  const sessions = list({ name: "sessions", path: "/sessions", columnsOf: sessionColumns("/sessions") }, { signal });
  const keys = keysCard({ signal });
  view.replaceChildren(element("h1", {}, translate("account")),
    element("div", { class: "pair" }, profileCard(user), passwordCard(sessions, keys), factor.root),
    sessions.root, keys.root, deleteCard(user));
  await Promise.all([factor.load(), sessions.load(), keys.load()]);
}
