// The view of tasks: a new one, and the list, in which each is edited in its place.
import { request, requestJson, sendJson } from "../shared/api.js";
import { onBack } from "../shared/connection.js";
import { element, field, select, setValues } from "../shared/elements.js";
import { instantOf } from "../shared/formats.js";
import { form, isReadable, problemText } from "../shared/forms.js";
import { markLate } from "../shared/late.js";
import { attempt, pages } from "../shared/lists.js";
import { redraw } from "../shared/redraw.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";
import { choice, PRIORITIES, STATUSES } from "./choices.js";
import { taskItem } from "./item.js";

const SORTS = ["-created_at", "due_at", "-priority", "title", "-updated_at"];
const PAGE = 50;
const EDITED = ".task:has(form)";

export async function show(view, { signal, own, setOwn }) {
  const items = element("ul", { class: "tasks" });
  const trouble = element("p", { class: "trouble", role: "alert" });
  const filters = filterForm(own, () => {
    if (!isReadable(filters)) return;
    setOwn(filterValues());
    load();
  });
  const filterValues = () => Object.fromEntries(new FormData(filters));

  function showTasks(tasks, isMore) {
    trouble.textContent = "";
    // What is being edited stays as it is, also where the list has it no more.
    const edited = new Map([...items.querySelectorAll(EDITED)].map((item) => [Number(item.dataset.task), item]));
    const draw = (task) => edited.get(task.id) ?? taskItem(task, { onSave: save, onShow: showSaved, onDelete: remove });
    if (isMore) return items.append(...tasks.filter((task) => !edited.has(task.id)).map(draw));
    const drawn = new Set([...edited.values()].filter((item) => !tasks.some((task) => task.id === Number(item.dataset.task))));
    for (const task of tasks) drawn.add(draw(task));
    redraw(items, ...(drawn.size ? drawn : [element("li", { class: "dim" }, translate(hasFilter() ? "nothing-found" : "no-tasks"))]));
  }

  function fail(error) {
    items.replaceChildren(...items.querySelectorAll(EDITED));
    trouble.textContent = problemText(error);
  }
  const query = () => ({ ...filterValues(), tz: settings.tz, limit: PAGE });
  const load = () => markLate(card, read());
  const { more, load: read } = pages("/tasks", { query, show: showTasks, fail, signal });
  const hasFilter = () => ["q", "status", "priority", "due_before"].some((name) => filterValues()[name]);

  const save = (task, changes, etag) => request(`/tasks/${task.id}`, {
    method: "PATCH", headers: { "Content-Type": "application/json", ...(etag ? { "If-Match": etag } : {}) }, body: JSON.stringify(changes),
  });
  async function showSaved(task) {
    await load();
    const item = items.querySelector(`[data-task="${task.id}"]`);
    if (!item?.contains(document.activeElement)) item?.querySelector("button").focus(); // its form has gone
  }
  const remove = (task) => attempt(async () => {
    await requestJson(`/tasks/${task.id}`, { method: "DELETE" });
    await load();
  });

  const card = element("section", { class: "card" }, filters, trouble, items, more);
  onBack(() => (trouble.textContent ? load() : null), signal);
  view.replaceChildren(element("h1", {}, translate("tasks")), newTask(load), card);
  await load();
}

function newTask(load) {
  const title = element("input", { name: "title", maxlength: 200, autocomplete: "off" });
  const fields = [
    field(translate("task-title"), title),
    field(translate("priority"), choice("priority", PRIORITIES, "normal")),
    field(translate("due"), element("input", { name: "due_at", type: "datetime-local" })),
  ];
  const create = form(fields, translate("task-add"), async (values) => {
    await sendJson("POST", "/tasks", { ...values, due_at: instantOf(values.due_at, settings.tz) || null });
    create.reset();
    title.focus();
    await load();
  });
  create.classList.add("line");
  return element("section", { class: "card", "aria-label": translate("task-add") }, create);
}

function filterForm(own, onChange) {
  const any = (name, values) => choice(name, ["", ...values], "");
  const fields = [
    field(translate("search"), element("input", { name: "q", type: "search" })),
    field(translate("column.status"), any("status", STATUSES)),
    field(translate("priority"), any("priority", PRIORITIES)),
    field(translate("due-before"), element("input", { name: "due_before", type: "date" })),
    field(translate("sort"), select(SORTS.map((sort) => [sort, translate(`sort.${sort}`)]), SORTS[0], { name: "sort" })),
  ];
  const filters = element("form", { class: "row own", onsubmit: (event) => { event.preventDefault(); onChange(); }, onchange: onChange }, fields);
  setValues(filters.elements, own);
  return filters;
}
