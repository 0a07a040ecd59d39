// Short messages, and dialogs that ask for a confirmation.
import { button, element } from "./elements.js";
import { translate } from "./words.js";

const VISIBLE_TIME = 8000; // milliseconds
const messages = document.getElementById("messages");

export function showMessage(text, kind = "good") {
  setTimeout(showNotice(text, kind), VISIBLE_TIME);
}

// Shows a message until the function that is returned is called.
export function showNotice(text, kind = "bad") {
  const message = element("p", { class: `message ${kind}` }, text);
  messages.append(message);
  return () => message.remove();
}

// Asks in a dialog. Resolves to false unless it is closed by its first button, which is labelled `action`.
export function confirmAction(question, action) {
  return new Promise((resolve) => {
    const dialog = element("dialog", { "aria-label": question },
      element("p", {}, question),
      element("div", { class: "row" },
        button(action, () => dialog.close("yes"), { class: "primary" }),
        button(translate("back"), () => dialog.close(""))));
    open(dialog, () => resolve(dialog.returnValue === "yes"));
  });
}

// Shows secrets this once, with a button that copies them. Resolves when the dialog is closed.
export function showOnce(text, secrets) {
  return showDialog(text, element("p", {}, text),
    element("ul", { class: "secrets" }, secrets.map((secret) => element("li", {}, element("code", {}, secret)))),
    copyButton(secrets.join("\n")));
}

// Shows parts until the reader closes the dialog; then resolves.
export function showDialog(label, ...parts) {
  return new Promise((resolve) => {
    const dialog = element("dialog", { "aria-label": label }, ...parts,
      element("div", { class: "row end" }, button(translate("close"), () => dialog.close(), { class: "primary" })));
    open(dialog, resolve);
  });
}

// What is outside an open dialog is out of reach and in its shade: messages stand in the topmost one.
function open(dialog, onClose) {
  dialog.addEventListener("close", () => {
    dialog.remove();
    placeMessages();
    onClose();
  });
  document.body.append(dialog);
  dialog.showModal();
  placeMessages();
}

function placeMessages() {
  const place = [...document.querySelectorAll("dialog")].at(-1) ?? document.body;
  if (messages.parentElement !== place) place.append(messages);
}

// A dialog belongs to the view and the session that opened it, and ends with them.
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close("");
}

export function copyButton(text, attributes = {}) {
  const copy = button(translate("copy"), () => copyText(copy, text), attributes);
  return copy;
}

// Copies a text, and says so on the button. Without https, browsers copy nothing but what is on this machine.
export async function copyText(copy, text) {
  try {
    await navigator.clipboard.writeText(text);
    copy.textContent = translate("copied");
  } catch {
    showMessage(translate("copy-failed"), "bad");
  }
}

// What stands where nothing is yet, until the first answer.
export const loadingNote = () => element("p", { class: "dim", role: "status" }, translate("loading"));
