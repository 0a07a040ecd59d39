// The view of tasks: a new one, and the list, in which each is edited in its place.
import { request, requestJson, sendJson } from "../shared/api.js";
import { onBack } from "../shared/connection.js";
import { button, element, field, select } from "../shared/elements.js";
import { instantOf } from "../shared/formats.js";
import { form, problemText } from "../shared/forms.js";
import { attempt, pages } from "../shared/lists.js";
import { showMessage } from "../shared/messages.js";
import { redraw } from "../shared/redraw.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";
import { choice, PRIORITIES, STATUSES } from "./choices.js";
import { taskItem } from "./item.js";

const SORTS = ["-created_at", "due_at", "-priority", "title", "-updated_at"];
const PAGE = 50;

export async function show(view, { signal, own, setOwn }) {
  const items = element("ul", { class: "tasks" });
  const trouble = element("p", { class: "trouble", role: "alert" });
  const filters = filterForm(own, () => {
    setOwn(filterValues());
    load();
  });
  const filterValues = () => Object.fromEntries(new FormData(filters));

  function showTasks(tasks, isMore) {
    trouble.textContent = "";
    const drawn = tasks.map((task) => taskItem(task, { onSave: save, onDelete: remove }));
    if (isMore) items.append(...drawn);
    else redraw(items, ...(drawn.length ? drawn : [element("li", { class: "dim" }, translate(hasFilter() ? "nothing-found" : "no-tasks"))]));
  }

  function fail(error) {
    items.replaceChildren();
    trouble.textContent = problemText(error);
  }
  const query = () => ({ ...filterValues(), tz: settings.tz, limit: PAGE });
  const { more, load } = pages("/tasks", { query, show: showTasks, fail, signal });
  const hasFilter = () => ["q", "status", "priority", "due_before"].some((name) => filterValues()[name]);

  // Another one may have changed the task meanwhile: then nothing is overwritten, and the list is read again.
  async function save(task, changes, etag) {
    try {
      const headers = { "Content-Type": "application/json", ...(etag ? { "If-Match": etag } : {}) };
      await request(`/tasks/${task.id}`, { method: "PATCH", headers, body: JSON.stringify(changes) });
    } catch (error) {
      if (error.status !== 412) throw error;
      showMessage(translate("task-changed"), "bad");
    }
    await load();
    const item = items.querySelector(`[data-task="${task.id}"]`);
    if (!item?.contains(document.activeElement)) item?.querySelector("button").focus(); // its form has gone
  }
  const remove = (task) => attempt(async () => {
    await requestJson(`/tasks/${task.id}`, { method: "DELETE" });
    await load();
  });

  onBack(() => (trouble.textContent ? load() : null), signal);
  view.replaceChildren(element("h1", {}, translate("tasks")), newTask(load), element("section", { class: "card" }, filters, trouble, items, more));
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
  for (const control of filters.elements) if (own[control.name]) control.value = own[control.name];
  return filters;
}
