// What a reader sees without a session: signing in, signing up, and setting a new password.
import { address, readAddress } from "../shared/address.js";
import { element } from "../shared/elements.js";
import { translate } from "../shared/words.js";
import { forgotForm, newPasswordForm } from "./password.js";
import { signInForm } from "./sign-in.js";
import { signUpForm } from "./sign-up.js";

// The server writes into the page whether everybody may sign up.
const isOpen = document.querySelector("meta[name=registration]").content === "open";
const FORMS = { "sign-in": signInForm, "forgot-password": forgotForm, "new-password": newPasswordForm, ...(isOpen ? { "sign-up": signUpForm } : {}) };

export const isEntry = (name) => Object.hasOwn(FORMS, name);

// `reason`: why the last session ended, if there was one. Returns the name of what is shown.
export function showEntry(main, reason, onSignedIn) {
  readAddress();
  const name = isEntry(address.name) ? address.name : "sign-in";
  const { heading, hint, form } = FORMS[name](onSignedIn);
  // Who has a token comes by its link, or by way of the forgotten password.
  const others = Object.keys(FORMS).filter((other) => other !== name && (other !== "new-password" || name === "forgot-password"));
  const links = others.map((other) => element("a", { href: `#${other}` }, translate(other)));
  main.replaceChildren(element("section", { class: "card sign-in", "aria-labelledby": "entry" },
    element("h1", { id: "entry" }, heading),
    element("p", { class: "dim" }, hint),
    reason ? element("p", { class: "notice", role: "status" }, translate(`ended.${reason}`)) : null,
    form, element("p", { class: "row links" }, links)));
  form.querySelector("input").focus({ preventScroll: true });
  return name;
}
