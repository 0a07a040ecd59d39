// The controls of the settings: one row above a view. A wrong period has one message, at its field.
import { button, element, field, select, showFieldProblem } from "./elements.js";
import { isDate, OWN, PRESETS } from "./period.js";
import { findZone, nextPeriod, settings, settingsProblem, TRAFFICS, zones } from "./settings.js";
import { translate } from "./words.js";

// A change writes `settings`, then calls `onChange`. `fallback`: the view's preset, if none is chosen.
export function settingsForm(onChange, options = {}) {
  const { fallback = "all", sources = [], withTraffic = false } = options;
  const change = (changes) => {
    Object.assign(settings, changes);
    showProblem();
    showSteps();
    onChange();
  };
  const dates = { from: dateControl("from"), to: dateControl("to") };
  const period = select([...PRESETS, OWN].map((name) => [name, translate(`period.${name}`)]), settings.period || fallback, {
    onchange: () => {
      const isOwn = period.value === OWN;
      ownPeriod.forEach((part) => { part.hidden = !isOwn; });
      if (isOwn) dates.from.focus();
      else change({ period: period.value === fallback ? "" : period.value, from: "", to: "" });
    },
  });
  const ownPeriod = [field(translate("from"), dates.from), field(translate("to"), dates.to), button(translate("apply"), null, { type: "submit" })];
  ownPeriod.forEach((part) => { part.hidden = period.value !== OWN; });

  const stepButtons = [[-1, "‹", "earlier"], [1, "›", "later"]].map(([direction, sign, word]) =>
    button(sign, () => step(direction), { "aria-label": translate(word), title: translate(word), name: word }));
  const steps = element("div", { class: "row steps" }, stepButtons);
  const showSteps = () => stepButtons.forEach((each, index) => { each.disabled = nextPeriod(index ? 1 : -1, fallback) === null; });

  // The form is drawn anew, as the fields of a period depend on it.
  function step(direction) {
    const next = nextPeriod(direction, fallback);
    if (next === null) return showSteps(); // the newest visit is known by now
    Object.assign(settings, next, { period: OWN });
    const drawn = settingsForm(onChange, options);
    form.replaceWith(drawn);
    const { earlier, later } = drawn.elements;
    (direction > 0 && !later.disabled ? later : earlier).focus();
    onChange();
  }

  function showProblem() {
    const problem = settingsProblem();
    for (const [name, control] of Object.entries(dates)) showFieldProblem(control, problem?.field === name ? translate(problem.word) : "");
  }

  function submit(event) {
    event.preventDefault();
    if (period.value !== OWN) return;
    // A date that is typed in part has an empty value: it must not pass for none.
    const read = (control) => (control.validity.badInput ? "?" : control.value);
    change({ period: OWN, from: read(dates.from), to: read(dates.to) });
  }

  const form = element("form", { class: "settings", "aria-label": translate("settings"), novalidate: true, onsubmit: submit },
    field(translate("period"), period), ownPeriod, steps, zoneField(change), sources.length ? sourceField(sources, change) : null, withTraffic ? trafficField(change) : null);
  showProblem();
  showSteps();
  return form;
}

// An instant, as a click on an hour writes it, stays text; a date has the browser's calendar.
function dateControl(name) {
  const isInstant = settings[name] && !isDate(settings[name]);
  return element("input", { type: isInstant ? "text" : "date", value: settings[name] });
}

function zoneField(change) {
  const list = element("datalist", { id: "zones" }, zones().map((name) => element("option", { value: name })));
  const control = element("input", { list: list.id, value: settings.tz, autocomplete: "off", spellcheck: "false", onchange: () => {
    const zone = findZone(control.value);
    showFieldProblem(control, zone ? "" : translate("no-zone"));
    if (!zone) return;
    control.value = zone;
    if (zone !== settings.tz) change({ tz: zone });
  } });
  const root = field(translate("zone"), control);
  root.append(list);
  return root;
}

function sourceField(sources, change) {
  const value = sources.some(([name]) => name === settings.source) ? settings.source : "api"; // pages and sites are live too
  const control = select(sources.map(([name, word]) => [name, translate(word)]), value, { onchange: () => change({ source: control.value }) });
  return field(translate("source"), control);
}

function trafficField(change) {
  const control = select(TRAFFICS.map((name) => [name, translate(`traffic.${name || "human"}`)]), settings.traffic, {
    onchange: () => change({ traffic: control.value }),
  });
  return field(translate("traffic"), control);
}
