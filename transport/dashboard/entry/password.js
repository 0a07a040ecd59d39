// A forgotten password: asking for a mail, and setting a new password by the token of a mail or of an admin's link.
import { sendJson } from "../shared/api.js";
import { address } from "../shared/address.js";
import { element, field } from "../shared/elements.js";
import { form } from "../shared/forms.js";
import { showMessage } from "../shared/messages.js";
import { translate } from "../shared/words.js";

export function forgotForm() {
  const login = element("input", { name: "login", autocomplete: "username", autocapitalize: "none", spellcheck: "false" });
  const forgot = form([field(translate("login"), login)], translate("send-mail"), async (values) => {
    await sendJson("POST", "/password/forgot", values);
    location.hash = "new-password";
    showMessage(translate("mail-sent"));
  });
  return { heading: translate("forgot-password"), hint: translate("forgot-hint"), form: forgot };
}

export function newPasswordForm() {
  const token = element("input", { name: "token", value: address.own.token ?? "", autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
  // The token works once and for an hour; even so, neither the address nor the history keeps it.
  if (address.own.token) history.replaceState(null, "", "#new-password");
  const password = element("input", { name: "password", type: "password", autocomplete: "new-password" });
  const fields = [field(translate("token"), token, translate("token-hint")), field(translate("new-password"), password, translate("password-hint"))];
  const reset = form(fields, translate("set-password"), async (values) => {
    await sendJson("POST", "/password/reset", values);
    location.hash = "sign-in";
    showMessage(translate("password-set"));
  });
  return { heading: translate("new-password"), hint: translate("new-password-hint"), form: reset };
}
