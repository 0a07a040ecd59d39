// Signing up, where REGISTRATION is open. A new account is signed in at once.
import { sendJson } from "../shared/api.js";
import { element, field } from "../shared/elements.js";
import { form } from "../shared/forms.js";
import { beginSession } from "../shared/session.js";
import { translate } from "../shared/words.js";

const BROKEN = 500; // this and all above: what was asked may be done

export function signUpForm(onSignedIn) {
  const text = (name, autocomplete) => element("input", { name, autocomplete, spellcheck: "false", autocapitalize: name === "login" ? "none" : null });
  const fields = [
    field(translate("login"), text("login", "username"), translate("login-hint")),
    field(translate("first-name"), text("first_name", "given-name"), translate("optional")),
    field(translate("last-name"), text("last_name", "family-name"), translate("optional")),
    field(translate("password"), element("input", { name: "password", type: "password", autocomplete: "new-password" }), translate("password-hint")),
  ];
  let made = ""; // the login of an account that is made, though not signed in yet
  let unsure = ""; // one whose sign-up had no answer: it may be made
  async function register(account) {
    try {
      await sendJson("POST", "/register", account);
    } catch (error) {
      if (error.code === "login_taken" && account.login === unsure) return error;
      if (error.status === 0 || error.status >= BROKEN) unsure = account.login;
      throw error;
    }
    made = account.login;
    return null;
  }
  const signUp = form(fields, translate("sign-up"), async (account) => {
    const refusal = account.login === made ? null : await register(account);
    try {
      beginSession(await sendJson("POST", "/login", { login: account.login, password: account.password }));
    } catch (error) {
      throw refusal && error.code === "bad_credentials" ? refusal : error; // the login is another's
    }
    await onSignedIn();
  }, { waiting: translate("signing-up") });
  return { heading: translate("sign-up"), hint: translate("sign-up-hint"), form: signUp };
}
