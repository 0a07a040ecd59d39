// What is told in passing, and what must be confirmed.
import { button, element } from "./elements.js";
import { say } from "./words.js";

const SHOWN = 8000; // milliseconds

export function tell(text, kind = "good") {
  const message = element("p", { class: `message ${kind}` }, text);
  document.getElementById("messages").append(message);
  setTimeout(() => message.remove(), SHOWN);
}

// Asks in a dialog; false if it is closed in any other way than by its first button.
export function confirmed(question, action) {
  return new Promise((resolve) => {
    const dialog = element("dialog", { "aria-label": question },
      element("p", {}, question),
      element("div", { class: "row" },
        button(action, () => dialog.close("yes"), { class: "primary" }),
        button(say("back"), () => dialog.close(""))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
