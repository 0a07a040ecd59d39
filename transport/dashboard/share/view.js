// The page of somebody who has the link of a share: its view alone, with nothing to change, and no way to another.
import { requestJson } from "../shared/api.js";
import { address } from "../shared/address.js";
import { onBack } from "../shared/connection.js";
import { element } from "../shared/elements.js";
import { problemText } from "../shared/forms.js";
import { loadingNote } from "../shared/messages.js";
import { useShare } from "../shared/session.js";
import { loadNewest, readSettings, SETTINGS } from "../shared/settings.js";
import { repeat } from "../shared/visible.js";
import { translate } from "../shared/words.js";

const NAME = "share=";
const READER = { login: "", role: "reader" };
const MINUTE = 60_000; // milliseconds
const nothing = () => {};

// Returns the key in an address such as #share=KEY; null if it has none.
export const shareKey = (fragment) => (fragment.startsWith(`#${NAME}`) ? fragment.slice(NAME.length + 1) : null);

// `views`: functions that load the modules of views, by name. Returns the name of what is shown; throws a Problem if the
// server is away.
export async function showShare(main, key, views, signal) {
  useShare(key);
  document.body.dataset.share = "";
  main.setAttribute("aria-busy", "true");
  try {
    const { view: name, parameters } = await requestJson("/shares/current", { signal });
    readSettings(new URLSearchParams({ ...(parameters.from || parameters.to ? {} : { period: "all" }), ...parameters }));
    const own = Object.fromEntries(Object.entries(parameters).filter(([each]) => !SETTINGS.includes(each)));
    Object.assign(address, { name, own });
    const view = element("div", { class: "view", "data-view": name }, loadingNote());
    const module = await views[name]();
    main.replaceChildren(view);
    const refresh = await module.show(view, { signal, user: READER, own: { ...own }, onSettings: nothing, setOwn: nothing, redraw: nothing });
    keepFresh(main, refresh, signal);
    return name;
  } catch (error) {
    if (signal.aborted) return "";
    showTrouble(main, error);
    if (error.status !== 401) throw error;
    return "";
  } finally {
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

// A share has no stream of what happens: its view is loaded anew each minute, until the share ends.
function keepFresh(main, refresh, signal) {
  const end = new AbortController();
  signal.addEventListener("abort", () => end.abort());
  const read = async () => {
    try {
      await loadNewest(signal);
      await refresh?.();
    } catch (error) {
      if (error.status !== 401 || signal.aborted) return; // the next minute tries again
      end.abort();
      showTrouble(main, error);
    }
  };
  repeat(read, MINUTE, end.signal);
  onBack(read, end.signal);
}

function showTrouble(main, error) {
  const text = error.status === 401 ? translate("share-ended") : problemText(error);
  main.replaceChildren(element("p", { class: "notice", role: "alert" }, text));
}

export function leaveShare() {
  useShare(null);
  delete document.body.dataset.share;
}
