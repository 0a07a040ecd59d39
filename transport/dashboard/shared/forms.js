// Forms whose refusals stand at the fields that they name.
import { Problem } from "./api.js";
import { button, element, isBusy, setBusy, showFieldProblem } from "./elements.js";
import { faultText, refusalText } from "./refusals.js";
import { translate } from "./words.js";

// `fields`: elements made by `field`, whose controls have names. `send`: a function from the form's values to a promise.
// Its problem is shown at the fields named in it, else above the button. `waiting`: what the button says meanwhile.
export function form(fields, label, send, { primary = true, actions = [], waiting = label } = {}) {
  const trouble = element("p", { class: "trouble", role: "alert" });
  const submit = button(label, null, { type: "submit", class: primary ? "primary" : null });
  async function onsubmit(event) {
    event.preventDefault();
    if (isBusy(submit)) return;
    trouble.textContent = "";
    if (!isReadable(root)) return;
    setBusy(submit, true);
    submit.textContent = waiting;
    try {
      await send(Object.fromEntries(new FormData(root)));
    } catch (error) {
      showProblem(root, trouble, error);
    } finally {
      setBusy(submit, false);
      submit.textContent = label;
    }
  }
  const root = element("form", { class: "form", novalidate: true, onsubmit }, fields, trouble, element("div", { class: "row" }, submit, actions));
  return root;
}

// A date or a number that is typed in part has an empty value, which must not pass for none. Tells it at its field, and
// returns whether there is no such field; takes away what was told before.
export function isReadable(root) {
  const controls = [...root.elements].filter((control) => control.matches("input, select, textarea"));
  const isBad = (control) => control.validity.badInput;
  for (const control of controls) showFieldProblem(control, isBad(control) ? translate(control.type === "number" ? "no-number" : "no-date") : "");
  controls.find(isBad)?.focus();
  return !controls.some(isBad);
}

export function showProblem(root, trouble, error) {
  if (error.name === "AbortError") return;
  const errors = error.errors ?? [];
  const others = errors.filter(({ pointer, detail }) => {
    const control = root.elements[pointer.split("/")[1]];
    if (!control?.parentElement) return true;
    showFieldProblem(control, faultText(detail));
    return false;
  });
  if (errors.length && !others.length) root.querySelector("[aria-invalid]").focus();
  else trouble.textContent = others.length ? others.map(({ pointer, detail }) => [pointer.slice(1), faultText(detail)].filter(Boolean).join(": ")).join("; ") : problemText(error);
}

// What is not a problem of the API is a defect of the page, which the console tells.
export function problemText(error) {
  if (!(error instanceof Problem)) console.error(error);
  return error.code ? refusalText(error) : translate("unreachable");
}
