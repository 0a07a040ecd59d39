// A task in the list: shown, or edited in its place.
import { Problem, request } from "../shared/api.js";
import { button, element, field } from "../shared/elements.js";
import { instantOf, localOf, moment } from "../shared/formats.js";
import { form } from "../shared/forms.js";
import { attempt } from "../shared/lists.js";
import { confirmAction } from "../shared/messages.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";
import { choice, PRIORITIES, STATUSES } from "./choices.js";

const CHANGED = 412; // by another since its tag was read

// `onSave(task, changes, etag)` resolves when the task is changed, `onShow(task)` and `onDelete(task)` when the list shows
// what has become of it.
export function taskItem(task, { onSave, onShow, onDelete }) {
  const root = element("li", { class: `task ${task.status}`, "data-task": task.id });
  const isLate = task.due_at && task.status !== "done" && Date.parse(task.due_at) < Date.now();
  const status = choice("status", STATUSES, task.status);
  status.dataset.status = task.id;
  status.setAttribute("aria-label", translate("task-status-of", task.title));
  status.addEventListener("change", () => attempt(async () => {
    try {
      await onSave(task, { status: status.value });
    } catch (error) {
      status.value = task.status; // which it still has
      throw error;
    }
    await onShow(task);
  }));

  function showTask() {
    root.replaceChildren(
      element("div", { class: "task-text" }, element("strong", {}, task.title),
        task.description ? element("p", {}, task.description) : null,
        element("p", { class: "dim" }, translate(`task.${task.priority}`),
          task.due_at ? element("span", { class: isLate ? "overdue" : null }, ` · ${translate(isLate ? "late-since" : "due-at", moment(task.due_at, settings.tz))}`) : null)),
      element("div", { class: "row" }, status, button(translate("edit"), edit, { class: "link", "aria-label": translate("edit-of", task.title) }),
        button(translate("delete"), remove, { class: "link", "aria-label": translate("delete-of", task.title) })));
  }

  // The tag of what is edited makes the server refuse to overwrite what another has changed meanwhile.
  const edit = () => attempt(async () => {
    const response = await request(`/tasks/${task.id}`);
    const current = await response.json();
    root.replaceChildren(editor(current, response.headers.get("ETag")));
    root.querySelector("input").focus();
  });

  function editor(current, firstTag) {
    let etag = firstTag;
    let isOld = false; // the task is no longer what the list shows
    const due = current.due_at ? localOf(current.due_at, settings.tz) : "";
    const fields = [
      field(translate("task-title"), element("input", { name: "title", value: current.title, maxlength: 200 })),
      field(translate("description"), element("textarea", { name: "description", rows: 3, maxlength: 10_000, value: current.description })),
      field(translate("column.status"), choice("status", STATUSES, current.status)),
      field(translate("priority"), choice("priority", PRIORITIES, current.priority)),
      field(translate("due"), element("input", { name: "due_at", type: "datetime-local", value: due })),
    ];
    return form(fields, translate("save"), async (values) => {
      // The field has no seconds: an untouched due time keeps its own.
      const changes = { ...values, due_at: values.due_at === due ? current.due_at : instantOf(values.due_at, settings.tz) || null };
      try {
        await onSave(task, changes, etag);
      } catch (error) {
        isOld = true;
        if (error.status !== CHANGED) throw error;
        etag = (await request(`/tasks/${task.id}`)).headers.get("ETag"); // what was typed stays, and may be saved now
        throw new Problem(CHANGED, { code: "task_changed", detail: translate("task-changed") });
      }
      showTask();
      await onShow(task);
    }, { actions: [button(translate("back"), () => {
      showTask();
      root.querySelector("button").focus();
      return isOld ? attempt(() => onShow(task)) : null;
    })] });
  }

  async function remove() {
    if (await confirmAction(translate("task-sure", task.title), translate("delete"))) await onDelete(task);
  }
  showTask();
  return root;
}
