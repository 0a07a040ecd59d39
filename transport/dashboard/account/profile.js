// Cards of the account: names and e-mail, the password, and its end.
import { sendJson } from "../shared/api.js";
import { element, field } from "../shared/elements.js";
import { form } from "../shared/forms.js";
import { confirmAction, showMessage } from "../shared/messages.js";
import { endSession } from "../shared/session.js";
import { translate } from "../shared/words.js";

// Needed unless the sign-in was less than ten minutes ago: the server says so.
export const currentPassword = () => field(translate("current-password"),
  element("input", { name: "current_password", type: "password", autocomplete: "current-password" }), translate("current-password-hint"));

// Returns the values without those that are empty.
export const named = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));

export const card = (name, ...parts) => element("section", { class: "card", "data-card": name }, element("h2", {}, translate(name)), parts);

export function profileCard(user) {
  const input = (name, attributes) => element("input", { name, value: user[name] ?? "", ...attributes });
  const fields = [
    field(translate("first-name"), input("first_name", { autocomplete: "given-name" })),
    field(translate("last-name"), input("last_name", { autocomplete: "family-name" })),
    field(translate("email"), input("email", { type: "email", autocomplete: "email" }), translate("email-hint")),
    currentPassword(),
  ];
  const profile = form(fields, translate("save"), async ({ first_name, last_name, email, ...rest }) => {
    const isOther = email !== (user.email ?? "");
    const changes = { first_name, last_name, ...(isOther ? { email: email || null } : {}), ...named(rest) };
    Object.assign(user, await sendJson("PATCH", "/profile", changes));
    profile.elements.current_password.value = "";
    showMessage(translate("saved"));
  });
  return card("profile", element("p", { class: "dim" }, user.login, " · ", translate(`role.${user.role}`)), profile);
}

// A new password ends the other sessions and all keys, so their lists are read again.
export function passwordCard(...lists) {
  const fields = [
    field(translate("new-password"), element("input", { name: "password", type: "password", autocomplete: "new-password" }), translate("password-hint")),
    currentPassword(),
  ];
  const change = form(fields, translate("set-password"), async (values) => {
    await sendJson("PATCH", "/profile", { password: values.password, ...named({ current_password: values.current_password }) });
    change.reset();
    showMessage(translate("password-changed"));
    await Promise.all(lists.map((each) => each.load()));
  });
  return card("password", element("p", { class: "dim" }, translate("password-ends")), change);
}

export function deleteCard(user) {
  const remove = form([currentPassword()], translate("delete-account"), async (values) => {
    if (!(await confirmAction(translate("delete-account-sure", user.login), translate("delete")))) return;
    await sendJson("DELETE", "/profile", named(values));
    endSession("deleted");
  }, { primary: false });
  return card("end-of-account", element("p", { class: "dim" }, translate("delete-account-hint")), remove);
}
