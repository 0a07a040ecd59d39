// Makes DOM elements. Text is always text: nothing of the API's is ever read as HTML.
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function shape(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

// `onclick` and its like become listeners, `value` and `checked` properties, everything else attributes; what is
// false, null or undefined is left out.
function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

let ids = 0;
export const newId = () => `e${(ids += 1)}`;

// A labelled control: the label above, the control below it.
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

// `options`: pairs of value and label.
export function select(options, chosen, attributes = {}) {
  const made = element(
    "select",
    attributes,
    options.map(([value, label]) => element("option", { value }, label)),
  );
  made.value = chosen;
  return made;
}

export const button = (label, onclick, attributes = {}) =>
  element("button", { type: "button", onclick, ...attributes }, label);
