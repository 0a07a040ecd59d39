// Makes DOM elements. Text is always text: nothing from the API is ever parsed as HTML.
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function shape(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

// `onclick` and the like become listeners, `value` and `checked` properties, all others attributes. Values that are
// false, null or undefined are left out.
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let lastId = 0;
export const newId = () => `e${(lastId += 1)}`;

// A control with its label above, and a hint below if there is one.
export function field(label, control, hint) {
  control.id ||= newId();
  const parts = [element("label", { for: control.id }, label), control];
  if (hint) {
    const id = newId();
    control.setAttribute("aria-describedby", id);
    parts.push(element("small", { id, class: "hint" }, hint));
  }
  return element("div", { class: "field" }, ...parts);
}

// Shows what is wrong with a control's value below it; an empty text takes it away.
export function showFieldProblem(control, text) {
  const id = `${control.id}-problem`;
  control.parentElement?.querySelector(".field-problem")?.remove();
  if (text) {
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-errormessage", id);
    control.parentElement.append(element("small", { id, class: "field-problem", role: "alert" }, text));
  } else {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-errormessage");
  }
}

// `options`: pairs of value and label. `value`: the selected one.
export function select(options, value, attributes = {}) {
  const control = element(
    "select",
    attributes,
    // The one that is selected now is also what a reset goes back to.
    options.map(([optionValue, label]) => element("option", { value: optionValue, selected: optionValue === value }, label)),
  );
  control.value = value;
  return control;
}

// Until what a click began has ended, another one does nothing: a double click opens one dialog, and asks once.
export function button(label, onclick, attributes = {}) {
  async function run(event) {
    if (control.ariaBusy) return;
    control.ariaBusy = "true";
    try {
      await onclick(event);
    } finally {
      control.ariaBusy = null;
    }
  }
  const control = element("button", { type: "button", onclick: onclick && run, ...attributes }, label);
  return control;
}

// Sets controls to the values that the address names. Those that a list does not have leave it as it is.
export function setValues(controls, values = {}) {
  for (const control of controls) {
    const value = values[control.name];
    if (value && (!control.options || [...control.options].some((option) => option.value === value))) control.value = value;
  }
}

// A button that waits for an answer does nothing. It is not disabled, which would take the keyboard's focus from it.
export const isBusy = (control) => control.getAttribute("aria-disabled") === "true";
export const setBusy = (control, busy) => control.setAttribute("aria-disabled", String(busy));
