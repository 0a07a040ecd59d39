// Uploads logs that are dropped on the page or selected with the keyboard.
import { requestJson } from "../shared/api.js";
import { element, newId } from "../shared/elements.js";
import { problemText } from "../shared/forms.js";
import { showMessage } from "../shared/messages.js";
import { translate } from "../shared/words.js";

const GZIP_MAGIC = [0x1f, 0x8b];

export function uploadForm(onDone) {
  const files = element("input", { type: "file", multiple: true, id: newId(), class: "unseen" });
  const dry = element("input", { type: "checkbox", id: newId() });
  const status = element("p", { class: "dim", role: "status" });
  const zone = element("div", { class: "drop" },
    element("p", {}, element("strong", {}, translate("upload-drop"))),
    files, element("label", { for: files.id, class: "file" }, translate("upload-choose")),
    element("p", { class: "dim" }, translate("upload-hint")),
    element("p", {}, dry, " ", element("label", { for: dry.id }, translate("upload-dry"))), status);

  async function upload(newFiles) {
    for (const file of newFiles) {
      status.textContent = translate("uploading", file.name);
      try {
        await send(file, dry.checked);
        showMessage(translate("uploaded", file.name));
      } catch (error) {
        showMessage(`${file.name}: ${problemText(error)}`, "bad");
      }
      await onDone();
    }
    status.textContent = "";
    files.value = "";
  }
  files.addEventListener("change", () => upload([...files.files]));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    upload([...event.dataTransfer.files]);
  });
  return element("section", { class: "card", "aria-label": translate("upload") }, zone);
}

async function send(file, dryRun) {
  const firstBytes = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const gzipped = GZIP_MAGIC.every((byte, index) => firstBytes[index] === byte);
  return requestJson("/imports", {
    method: "POST",
    query: { name: file.name, dry_run: dryRun ? "true" : undefined },
    headers: { "Content-Type": "text/plain", ...(gzipped ? { "Content-Encoding": "gzip" } : {}) },
    body: file,
  });
}
