// Uploads logs: dropped on the page, or chosen with the keyboard.
import { askJson } from "./api.js";
import { element, newId } from "./elements.js";
import { tell } from "./messages.js";
import { say } from "./words.js";

const GZIP = [0x1f, 0x8b];

export function uploadForm(onDone) {
  const files = element("input", { type: "file", multiple: true, id: newId(), class: "unseen" });
  const dry = element("input", { type: "checkbox", id: newId() });
  const status = element("p", { class: "dim", role: "status" });
  const zone = element("div", { class: "drop" },
    element("p", {}, element("strong", {}, say("upload-drop"))),
    files, element("label", { for: files.id, class: "file" }, say("upload-choose")),
    element("p", { class: "dim" }, say("upload-hint")),
    element("p", {}, dry, " ", element("label", { for: dry.id }, say("upload-dry"))), status);

  async function upload(chosen) {
    for (const file of chosen) {
      status.textContent = say("uploading", file.name);
      try {
        await send(file, dry.checked);
        tell(say("uploaded", file.name));
      } catch (error) {
        tell(`${file.name}: ${error.message}`, "bad");
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
  return element("section", { class: "card", "aria-label": say("upload") }, zone);
}

async function send(file, dryRun) {
  const begin = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const packed = GZIP.every((byte, index) => begin[index] === byte);
  return askJson("/imports", {
    method: "POST",
    query: { name: file.name, dry_run: dryRun ? "true" : undefined },
    headers: { "Content-Type": "text/plain", ...(packed ? { "Content-Encoding": "gzip" } : {}) },
    body: file,
  });
}
