// Puts the page together: the header, and the view that the URL names.
import { BASE } from "./api.js";
import { button, element, select } from "./elements.js";
import { showEvents } from "./events.js";
import { showImports } from "./imports.js";
import { followLive, onLive } from "./live.js";
import { showLive } from "./live-view.js";
import { showPeople } from "./people.js";
import { showReports } from "./reports.js";
import { onSessionEnd, token } from "./session.js";
import { readSettings, settingsQuery } from "./settings.js";
import { profile, showSignIn, signOut } from "./sign-in.js";
import { changeLanguage, currentLanguage, languages, translate } from "./words.js";

const VIEWS = { reports: showReports, live: showLive, events: showEvents, imports: showImports, people: showPeople };
const ADMIN_VIEWS = new Set(["people"]);

const main = document.getElementById("main");
const top = document.getElementById("top");
let user = null;
let viewAbort = new AbortController(); // ends what the current view does
let refresh = null; // the view's own function, if it can show other settings without a redraw
let sessionAbort = new AbortController();

// Reads the view's name and its query from the URL.
function route() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  const isAllowed = name in VIEWS && (user?.role === "admin" || !ADMIN_VIEWS.has(name));
  return { name: isAllowed ? name : "reports", query };
}

async function show() {
  viewAbort.abort();
  viewAbort = new AbortController();
  const { signal } = viewAbort;
  const { name, query } = route();
  readSettings(query);
  refresh = null;
  main.setAttribute("aria-busy", "true");
  drawHeader(name);
  document.title = `${translate(name)} · Trawl`;
  const view = element("div", { class: "view", "data-view": name, "aria-busy": "true" });
  try {
    const drawing = VIEWS[name](view, { signal, user, onSettings });
    // The previous view stays until the new one has something to show.
    await Promise.race([drawing, untilFilled(view)]);
    if (signal.aborted) return;
    main.replaceChildren(view);
    refresh = (await drawing) ?? null;
  } catch (error) {
    if (signal.aborted) return;
    view.replaceChildren(element("h1", {}, translate(name)), element("p", { class: "notice bad", role: "alert" }, error.code ? error.message : translate("unreachable")),
      button(translate("again"), show, { class: "primary" }));
    main.replaceChildren(view);
  } finally {
    view.removeAttribute("aria-busy");
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

const untilFilled = (view) => new Promise((resolve) => {
  new MutationObserver((_, observer) => {
    observer.disconnect();
    resolve();
  }).observe(view, { childList: true });
});

// Writes the settings into the URL. The view shows its old data until the new data is here.
async function onSettings() {
  const { name } = route();
  history.pushState(null, "", `#${name}${settingsQuery()}`);
  if (!refresh) return show();
  const { signal } = viewAbort;
  drawHeader(name);
  main.setAttribute("aria-busy", "true");
  await refresh();
  if (!signal.aborted) main.removeAttribute("aria-busy");
}

function drawHeader(current) {
  const link = (name) => element("a", { href: `#${name}${settingsQuery()}`, "aria-current": name === current ? "page" : null }, translate(name));
  const views = Object.keys(VIEWS).filter((name) => user?.role === "admin" || !ADMIN_VIEWS.has(name));
  const language = select(languages, currentLanguage(), { "aria-label": translate("language"), onchange: (event) => {
    changeLanguage(event.target.value);
    draw();
    top.querySelector("select").focus(); // the header was redrawn
  } });
  top.replaceChildren(
    element("p", { class: "brand" }, element("img", { src: `${BASE}/dashboard/icon.svg`, alt: "", width: 28, height: 28 }), " Trawl"),
    user ? element("nav", { "aria-label": translate("views") }, views.map(link)) : "",
    element("div", { class: "tools" }, user ? pulse() : null, language, themeButton(),
      user ? element("span", { class: "who" }, user.login) : null,
      user ? button(translate("sign-out"), () => signOut().catch(() => {})) : null));
}

// Shows in the header whether the live stream is connected.
function pulse() {
  const dot = element("span", { class: "pulse" });
  onLive(({ connected }) => {
    dot.classList.toggle("on", connected);
    dot.textContent = translate(connected ? "connected" : "disconnected");
  }, viewAbort.signal);
  return dot;
}

function themeButton() {
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark ? "dark" : "light")) === "dark";
  const toggle = button(translate("dark"), () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("trawl.theme", theme);
    toggle.setAttribute("aria-pressed", String(isDark()));
  }, { "aria-pressed": String(isDark()) });
  return toggle;
}

async function draw(reason) {
  document.querySelector(".skip").textContent = translate("skip");
  if (!token()) {
    user = null;
    main.removeAttribute("aria-busy");
    drawHeader("");
    document.title = `${translate("sign-in")} · Trawl`;
    showSignIn(main, reason, () => draw());
    return;
  }
  try {
    const isNew = user === null;
    user ??= await profile();
    if (isNew) followLive(sessionAbort.signal);
    await show();
  } catch {
    if (token()) main.replaceChildren(element("p", { class: "notice bad", role: "alert" }, translate("unreachable")), button(translate("again"), () => draw(), { class: "primary" }));
  }
}

onSessionEnd((reason) => {
  viewAbort.abort();
  sessionAbort.abort();
  sessionAbort = new AbortController();
  draw(reason);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment of the URL names the view
  main.focus();
});
window.addEventListener("popstate", async () => {
  if (!user) return;
  await show();
  main.focus({ preventScroll: true });
});
draw();
