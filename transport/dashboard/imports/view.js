// The view of imports: upload by drag and drop, progress as it happens, rejects, cancel and undo.
import { pause, requestJson } from "../shared/api.js";
import { onBack } from "../shared/connection.js";
import { button, element } from "../shared/elements.js";
import { number } from "../shared/formats.js";
import { problemText } from "../shared/forms.js";
import { attempt } from "../shared/lists.js";
import { importsTable } from "./table.js";
import { onLive } from "../shared/live.js";
import { confirmAction, showMessage } from "../shared/messages.js";
import { redraw } from "../shared/redraw.js";
import { scroller, table } from "../shared/tables.js";
import { uploadForm } from "./upload.js";
import { translate } from "../shared/words.js";

const PAGE = 25;
const UNDO_PERIOD = 2000; // milliseconds between two looks at an undo under way

export async function show(view, { signal, user }) {
  const list = scroller(translate("imports"));
  const rejects = element("section", { class: "card", hidden: true, tabindex: "-1" });
  const isAdmin = user.role === "admin";
  let records = new Map(); // by id
  let lastImports = ""; // that the live stream told

  const draw = () => redraw(list, importsTable([...records.values()].sort((a, b) => b.id - a.id), { actions }));
  async function load() {
    const { items } = await requestJson("/imports", { query: { limit: PAGE }, signal });
    records = new Map(items.map((record) => [record.id, record]));
    lastImports = ""; // the answer may be older than what the stream told meanwhile: its next message is drawn
    draw();
  }
  function actions(record) {
    const buttons = [];
    if (record.rejected) buttons.push(button(translate("show-rejects", number(record.rejected)), () => attempt(() => showRejects(rejects, record, signal)), { class: "link", "data-rejects": record.id }));
    if (isAdmin && record.status === "running") buttons.push(button(translate("cancel"), () => remove(record, "cancel"), { "data-cancel": record.id }));
    if (isAdmin && canUndo(record)) buttons.push(button(translate("undo"), () => remove(record, "undo"), { "data-undo": record.id }));
    return buttons.length ? buttons : "—";
  }
  // `action`: "cancel" or "undo". The server does what fits the import's status, which may be another by now: what was
  // to be cancelled and has ended would be undone.
  async function remove(record, action) {
    if (!(await confirmAction(translate(`${action}-sure`, record.name, number(record.imported)), translate(action)))) return;
    try {
      const { status } = await requestJson(`/imports/${record.id}`, { signal });
      if ((status === "running") !== (action === "cancel")) {
        showMessage(translate("import-ended", record.name));
        await load();
        return;
      }
      await requestJson(`/imports/${record.id}`, { method: "DELETE" });
      showMessage(translate(`${action}-begun`, record.name));
      await load();
      await untilChanged(record);
    } catch (error) {
      if (error.name !== "AbortError") showMessage(problemText(error), "bad");
    }
  }
  // A long undo goes on after the answer, and the stream tells nothing of it.
  async function untilChanged({ id, status, error }) {
    while (records.get(id)?.status === status && records.get(id).error === error) {
      await pause(UNDO_PERIOD, signal);
      await load();
    }
  }
  async function parse() {
    try {
      await requestJson("/parse", { method: "POST", query: { wait: 0 } });
      await load();
    } catch (error) {
      showMessage(problemText(error), "bad");
    }
  }

  view.replaceChildren(
    element("h1", {}, translate("imports")),
    isAdmin ? uploadForm(load) : element("p", { class: "dim" }, translate("upload-admins")),
    element("p", {}, button(translate("parse-log"), parse, { class: "primary" })),
    element("section", { class: "card" }, element("h2", {}, translate("imports-newest", PAGE)), list),
    rejects,
  );
  await load();
  const reload = () => load().catch(() => {}); // the next time that the server is back
  onBack(reload, signal);
  let wasConnected = true;
  onLive(({ state, connected }) => {
    if (connected && !wasConnected) reload(); // what ended meanwhile was not told
    wasConnected = connected;
    const imports = JSON.stringify(state?.imports ?? []);
    if (!state || imports === lastImports) return;
    lastImports = imports;
    for (const record of state.imports) records.set(record.id, record);
    draw();
  }, signal);
}

// Of an import that ended early without a line there is nothing to take back.
const canUndo = ({ dry_run: isDry, status, imported }) => !isDry && (status === "done" || (["failed", "cancelled"].includes(status) && imported > 0));

async function showRejects(section, record, signal) {
  const { items, next } = await requestJson(`/imports/${record.id}/rejects`, { query: { limit: 100 }, signal });
  const columns = [
    { label: translate("column.line"), numeric: true, of: (reject) => number(reject.line) },
    { label: translate("column.offset"), numeric: true, of: (reject) => number(reject.offset) },
    { label: translate("column.reason"), of: (reject) => reject.reason },
    { label: translate("column.text"), of: (reject) => (reject.text === null ? "" : element("code", {}, reject.text)) },
  ];
  section.replaceChildren(
    element("h2", {}, translate("rejects-of", record.name)),
    next ? element("p", { class: "dim" }, translate("first-rejects", items.length)) : "",
    scroller(translate("rejects-of", record.name), table(translate("rejects-of", record.name), columns, items, { empty: translate("no-rejects") })),
  );
  section.hidden = false;
  section.focus();
}
