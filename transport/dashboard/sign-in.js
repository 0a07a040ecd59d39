// Signing in and out.
import { ask, askJson, sendJson } from "./api.js";
import { button, element, field } from "./elements.js";
import { begin, end } from "./session.js";
import { say } from "./words.js";

// `reason`: why the one before ended, if one did.
export function showSignIn(view, reason, onSignedIn) {
  const login = element("input", { name: "login", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = element("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const trouble = element("p", { class: "trouble", role: "alert" });
  const submit = button(say("sign-in"), null, { type: "submit", class: "primary" });
  async function signIn(event) {
    event.preventDefault();
    submit.disabled = true;
    trouble.textContent = "";
    try {
      const { access_token: token } = await sendJson("POST", "/login", { login: login.value, password: password.value });
      begin(token);
      onSignedIn();
    } catch (error) {
      trouble.textContent = error.code === "bad_credentials" ? say("bad-credentials") : (error.code && error.message) || say("unreachable");
      password.select();
    } finally {
      submit.disabled = false;
    }
  }
  view.replaceChildren(element("section", { class: "card sign-in", "aria-labelledby": "sign-in" },
    element("h1", { id: "sign-in" }, say("welcome")),
    element("p", { class: "dim" }, say("welcome-hint")),
    reason ? element("p", { class: "notice", role: "status" }, say(`ended.${reason}`)) : null,
    element("form", { onsubmit: signIn }, field(say("login"), login), field(say("password"), password), trouble, submit)));
  login.focus({ preventScroll: true });
}

export const profile = () => askJson("/profile");

// The token is forgotten here whatever the server says, which ends it everywhere.
export async function signOut() {
  try {
    await ask("/logout", { method: "POST" });
  } finally {
    end("signed-out");
  }
}
