// Signing in and out.
import { request, requestJson, sendJson } from "../shared/api.js";
import { button, element, field, isBusy, setBusy } from "../shared/elements.js";
import { problemText } from "../shared/forms.js";
import { beginSession, endSession } from "../shared/session.js";
import { translate } from "../shared/words.js";

export function signInForm(onSignedIn) {
  const login = element("input", { name: "login", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = element("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const code = element("input", { name: "code", autocomplete: "one-time-code", autocapitalize: "none", spellcheck: "false" });
  const codeField = field(translate("code"), code, translate("code-hint"));
  codeField.hidden = true; // until the account turns out to have a second factor
  const trouble = element("p", { class: "trouble", role: "alert" });
  const submit = button(translate("sign-in"), null, { type: "submit", class: "primary" });
  async function signIn(event) {
    event.preventDefault();
    if (isBusy(submit)) return;
    setBusy(submit, true);
    submit.textContent = translate("signing-in");
    trouble.textContent = "";
    try {
      const totp = codeField.hidden || !code.value.trim() ? {} : { totp: code.value };
      beginSession(await sendJson("POST", "/login", { login: login.value, password: password.value, ...totp }));
      await onSignedIn();
    } catch (error) {
      if (error.code === "totp_needed") {
        trouble.textContent = codeField.hidden ? "" : translate("code-needed");
        codeField.hidden = false;
        code.focus();
        return;
      }
      const wrong = translate(codeField.hidden ? "bad-credentials" : "bad-code");
      trouble.textContent = error.code === "bad_credentials" ? wrong : problemText(error);
      (codeField.hidden ? password : code).select();
    } finally {
      setBusy(submit, false);
      submit.textContent = translate("sign-in");
    }
  }
  const form = element("form", { onsubmit: signIn }, field(translate("login"), login), field(translate("password"), password), codeField, trouble, submit);
  return { heading: translate("welcome"), hint: translate("welcome-hint"), form };
}

export const profile = () => requestJson("/profile");

// The token is removed here even if the server, which ends the session everywhere, can't be reached.
export async function signOut() {
  try {
    await request("/logout", { method: "POST" });
  } finally {
    endSession("signed-out");
  }
}
