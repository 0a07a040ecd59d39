// Puts the page together: the header, and the view that the address names. A view is loaded when it is first shown.
import { address, fragment, readAddress } from "./shared/address.js";
import { Problem } from "./shared/api.js";
import { lose, onBack } from "./shared/connection.js";
import { button, element } from "./shared/elements.js";
import { problemText } from "./shared/forms.js";
import { drawHeader } from "./shared/header.js";
import { attempt } from "./shared/lists.js";
import { followLive } from "./shared/live.js";
import { closeDialogs, loadingNote } from "./shared/messages.js";
import { printView } from "./shared/print.js";
import { onSessionEnd, token } from "./shared/session.js";
import { readSettings, settingsParameters } from "./shared/settings.js";
import { isEntry, showEntry } from "./entry/entry.js";
import { canShare, shareView } from "./share/form.js";
import { leaveShare, shareKey, showShare } from "./share/view.js";
import { profile, signOut } from "./entry/sign-in.js";
import { translate } from "./shared/words.js";

const VIEWS = {
  overview: () => import("./overview/view.js"),
  reports: () => import("./reports/view.js"),
  live: () => import("./live/view.js"),
  events: () => import("./events/view.js"),
  imports: () => import("./imports/view.js"),
  tasks: () => import("./tasks/view.js"),
  films: () => import("./films/view.js"),
  account: () => import("./account/view.js"),
  people: () => import("./people/view.js"),
  sites: () => import("./sites/view.js"),
  audit: () => import("./audit/view.js"),
};
const ADMIN_VIEWS = new Set(["people", "sites", "audit"]);
const FIRST_VIEW = Object.keys(VIEWS)[0];

const main = document.getElementById("main");
// A screen on a wall shows a view large, without controls: /dashboard?wall#overview
const search = new URLSearchParams(location.search);
if (search.has("wall")) document.documentElement.dataset.wall = "";
let isPrinting = search.has("print"); // /dashboard?print#reports prints the view once all of it is there
let user = null;
let viewAbort = new AbortController(); // ends what the current view does
let refresh = null; // the view's own function, if it can show other settings without a redraw
let retry = null; // draws what could not be shown
let isBehind = false; // the view was not yet drawn when the server was back
let sessionAbort = new AbortController();

const isAllowed = (name) => Object.hasOwn(VIEWS, name) && (user?.role === "admin" || !ADMIN_VIEWS.has(name));

function readView() {
  readSettings(readAddress());
  if (!isAllowed(address.name)) {
    const isNamed = address.name !== "";
    address.name = FIRST_VIEW;
    if (isNamed) history.replaceState(null, "", fragment(FIRST_VIEW, settingsParameters(), address.own));
  }
  return address.name;
}

const reload = () => location.reload();

async function show() {
  viewAbort.abort();
  viewAbort = new AbortController();
  const { signal } = viewAbort;
  const name = readView();
  refresh = null;
  retry = null;
  isBehind = false;
  main.setAttribute("aria-busy", "true");
  showHeader();
  document.title = `${translate(name)} · Trawl`;
  const view = element("div", { class: "view", "data-view": name, "aria-busy": "true" });
  try {
    const module = await load(name);
    if (signal.aborted) return;
    const drawing = module.show(view, { signal, user, own: address.own, onSettings, setOwn, redraw: draw });
    // The previous view stays until the new one has something to show.
    await Promise.race([drawing, untilFilled(view)]);
    if (signal.aborted) return;
    replaceView(view);
    refresh = (await drawing) ?? null;
    if (isBehind) readAnew();
    await printOnce();
  } catch (error) {
    if (signal.aborted) return;
    // A browser does not load a module again that it could not load once.
    const again = error instanceof Problem ? show : reload;
    retry = again;
    view.replaceChildren(element("h1", {}, translate(name)), element("p", { class: "notice bad", role: "alert" }, problemText(error)),
      button(translate("again"), again, { class: "primary" }));
    replaceView(view);
  } finally {
    view.removeAttribute("aria-busy");
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

async function load(name) {
  try {
    return await VIEWS[name]();
  } catch (error) {
    lose();
    throw error;
  }
}

// What had the focus goes with the previous view: the next Tab goes on from this one.
function replaceView(view) {
  const hadFocus = main.contains(document.activeElement);
  main.replaceChildren(view);
  if (hadFocus) main.focus({ preventScroll: true });
}

async function printOnce() {
  if (!isPrinting) return;
  isPrinting = false;
  await printView();
}

const untilFilled = (view) => new Promise((resolve) => {
  new MutationObserver((_, observer) => {
    observer.disconnect();
    resolve();
  }).observe(view, { childList: true });
});

// Writes the settings into the address. The view shows its old data until the new data is here.
async function onSettings() {
  history.pushState(null, "", fragment(address.name, settingsParameters(), address.own));
  if (!refresh) return show();
  const { signal } = viewAbort;
  showHeader();
  main.setAttribute("aria-busy", "true");
  try {
    await refresh();
  } catch {
    if (!signal.aborted) await show(); // which says why there is nothing to see, rather than what was asked before
  }
  if (!signal.aborted) main.removeAttribute("aria-busy");
}

// What could not be shown is, and what may have changed meanwhile is read anew. A module is loaded by a reload alone.
onBack((wasAway) => {
  if (retry === reload && !wasAway) return;
  if (retry) retry();
  else readAnew();
}, new AbortController().signal);

function readAnew() {
  isBehind = refresh === null;
  refresh?.().catch(() => {});
}

// Writes the view's own parameters into the address; the view itself shows what they change.
function setOwn(changes) {
  Object.assign(address.own, changes);
  const next = fragment(address.name, settingsParameters(), address.own);
  if (next !== location.hash) history.pushState(null, "", next);
}

function showHeader() {
  const views = user ? Object.keys(VIEWS).filter(isAllowed) : [];
  drawHeader({ views, current: user ? address.name : "", user, signal: viewAbort.signal, onShare: user && canShare(address.name) ? () => attempt(() => shareView(address.name)) : null, onPrint: user || shareKey(location.hash) !== null ? () => attempt(printView) : null, onLanguage: () => draw(), onSignOut: () => signOut().catch(() => {}) });
}

// Ends all that a session and its view do.
function leave() {
  user = null;
  viewAbort.abort();
  sessionAbort.abort();
  sessionAbort = new AbortController();
}

// What a share shows needs no account, and has nothing of one.
async function drawShare(key) {
  leave();
  viewAbort = new AbortController();
  showHeader();
  const name = await showShare(main, key, VIEWS, viewAbort.signal).catch(() => {
    retry = draw;
    return "";
  });
  document.title = [name && translate(name), "Trawl"].filter(Boolean).join(" · ");
  if (name) await printOnce();
}

async function draw(reason) {
  document.querySelector(".skip").textContent = translate("skip");
  const key = shareKey(location.hash);
  refresh = null;
  retry = null;
  if (main.querySelector("noscript")) main.replaceChildren(loadingNote()); // nothing has been shown yet
  if (key !== null) return drawShare(key);
  leaveShare();
  readAddress();
  if (!token() || address.name === "new-password") {
    leave();
    main.removeAttribute("aria-busy");
    showHeader();
    document.title = `${translate(showEntry(main, reason, begin))} · Trawl`;
    return;
  }
  try {
    const isNew = user === null;
    user ??= await profile();
    if (isNew) followLive(sessionAbort.signal);
    await show();
  } catch {
    if (!token()) return;
    retry = draw;
    main.replaceChildren(element("p", { class: "notice bad", role: "alert" }, translate("unreachable")), button(translate("again"), () => draw(), { class: "primary" }));
  }
}

// Shows the view that the address names; from the form of an entry it goes to the first one.
function begin() {
  readAddress();
  if (isEntry(address.name)) history.replaceState(null, "", fragment(FIRST_VIEW));
  main.focus({ preventScroll: true }); // the form that has the focus goes
  return draw();
}

onSessionEnd((reason) => {
  closeDialogs();
  leave();
  draw(reason);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment of the URL names the view
  main.focus();
});
window.addEventListener("popstate", async () => {
  closeDialogs();
  readAddress();
  if (!user || isEntry(address.name) || shareKey(location.hash) !== null) return draw();
  await show();
  main.focus({ preventScroll: true });
});
draw();
