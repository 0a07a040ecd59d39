// The view of imports: upload by drag and drop, progress as it happens, rejects, cancel and undo.
import { askJson } from "./api.js";
import { button, element } from "./elements.js";
import { number } from "./formats.js";
import { importsTable } from "./imports-table.js";
import { onLive } from "./live.js";
import { confirmed, tell } from "./messages.js";
import { table } from "./tables.js";
import { uploadForm } from "./upload.js";
import { say } from "./words.js";

const PAGE = 25;

export async function showImports(view, { signal, user }) {
  const list = element("div", { class: "scroll" });
  const rejects = element("section", { class: "card", hidden: true, tabindex: "-1" });
  const isAdmin = user.role === "admin";
  let known = new Map();

  const draw = () => list.replaceChildren(importsTable([...known.values()].sort((a, b) => b.id - a.id), { actions }));
  async function load() {
    const { items } = await askJson("/imports", { query: { limit: PAGE }, signal });
    known = new Map(items.map((record) => [record.id, record]));
    draw();
  }
  function actions(record) {
    const made = [];
    if (record.rejected) made.push(button(say("show-rejects", number(record.rejected)), () => showRejects(rejects, record, signal), { class: "link" }));
    if (isAdmin && record.status === "running") made.push(button(say("cancel"), () => remove(record, "cancel")));
    if (isAdmin && !record.dry_run && ["done", "failed", "cancelled"].includes(record.status)) made.push(button(say("undo"), () => remove(record, "undo")));
    return made.length ? made : "—";
  }
  async function remove(record, what) {
    if (!(await confirmed(say(`${what}-sure`, record.name, number(record.imported)), say(what)))) return;
    try {
      await askJson(`/imports/${record.id}`, { method: "DELETE" });
      tell(say(`${what}-begun`, record.name));
      await load();
    } catch (error) {
      tell(error.message, "bad");
    }
  }
  async function parse() {
    try {
      await askJson("/parse", { method: "POST", query: { wait: 0 } });
      await load();
    } catch (error) {
      tell(error.message, "bad");
    }
  }

  view.replaceChildren(
    element("h1", {}, say("imports")),
    isAdmin ? uploadForm(load) : element("p", { class: "dim" }, say("upload-admins")),
    element("p", {}, button(say("parse-log"), parse, { class: "primary" })),
    element("section", { class: "card" }, element("h2", {}, say("imports-newest", PAGE)), list),
    rejects,
  );
  await load();
  let shown = "";
  onLive(({ state }) => {
    const fresh = JSON.stringify(state?.imports ?? []);
    if (!state || fresh === shown || list.contains(document.activeElement)) return;
    shown = fresh;
    for (const record of state.imports) known.set(record.id, record);
    draw();
  }, signal);
}

async function showRejects(place, record, signal) {
  const { items, next } = await askJson(`/imports/${record.id}/rejects`, { query: { limit: 100 }, signal });
  const columns = [
    { label: say("column.line"), numeric: true, of: (reject) => number(reject.line) },
    { label: say("column.offset"), numeric: true, of: (reject) => number(reject.offset) },
    { label: say("column.reason"), of: (reject) => reject.reason },
    { label: say("column.text"), of: (reject) => element("code", {}, reject.text) },
  ];
  place.replaceChildren(
    element("h2", {}, say("rejects-of", record.name)),
    next ? element("p", { class: "dim" }, say("first-rejects", items.length)) : "",
    element("div", { class: "scroll" }, table(say("rejects-of", record.name), columns, items, { empty: say("no-rejects") })),
  );
  place.hidden = false;
  place.focus();
}
