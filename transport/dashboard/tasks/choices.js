// The values of a task's status and priority, and a control that chooses one.
import { select } from "../shared/elements.js";
import { translate } from "../shared/words.js";

export const STATUSES = ["todo", "in_progress", "done"];
export const PRIORITIES = ["low", "normal", "high"];

export const choice = (name, values, value) =>
  select(values.map((each) => [each, translate(each ? `task.${each}` : "any")]), value, { name });
