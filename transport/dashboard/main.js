// Puts the page together: the header, and the view that the address names.
import { button, element, select } from "./elements.js";
import { showEvents } from "./events.js";
import { showImports } from "./imports.js";
import { followLive, onLive } from "./live.js";
import { showLive } from "./live-view.js";
import { showPeople } from "./people.js";
import { showReports } from "./reports.js";
import { token, whenEnded } from "./session.js";
import { readSettings, settingsQuery } from "./settings.js";
import { profile, showSignIn, signOut } from "./sign-in.js";
import { changeLanguage, currentLanguage, languages, say } from "./words.js";

const VIEWS = { reports: showReports, live: showLive, events: showEvents, imports: showImports, people: showPeople };
const ADMINS = new Set(["people"]);

const main = document.getElementById("main");
const top = document.getElementById("top");
let user = null;
let shown = new AbortController(); // ends what the view before still does
let refresh = null; // what the view has, if it can show other settings without being drawn anew
let signedIn = new AbortController();

function place() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  const known = name in VIEWS && (user?.role === "admin" || !ADMINS.has(name));
  return { name: known ? name : "reports", query };
}

async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const { name, query } = place();
  readSettings(query);
  refresh = null;
  main.setAttribute("aria-busy", "true");
  drawHeader(name);
  document.title = `${say(name)} · Trawl`;
  const view = element("div", { class: "view", "data-view": name, "aria-busy": "true" });
  try {
    const drawing = VIEWS[name](view, { signal, user, onSettings });
    // The view before stays until the new one has something to show.
    await Promise.race([drawing, filled(view)]);
    if (signal.aborted) return;
    main.replaceChildren(view);
    refresh = (await drawing) ?? null;
  } catch (error) {
    if (signal.aborted) return;
    view.replaceChildren(element("h1", {}, say(name)), element("p", { class: "notice bad", role: "alert" }, error.code ? error.message : say("unreachable")),
      button(say("again"), show, { class: "primary" }));
    main.replaceChildren(view);
  } finally {
    view.removeAttribute("aria-busy");
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

const filled = (view) => new Promise((resolve) => {
  new MutationObserver((_, observer) => {
    observer.disconnect();
    resolve();
  }).observe(view, { childList: true });
});

// The settings go into the address. What is shown stays until its successor is here.
async function onSettings() {
  const { name } = place();
  history.pushState(null, "", `#${name}${settingsQuery()}`);
  if (!refresh) return show();
  const { signal } = shown;
  drawHeader(name);
  main.setAttribute("aria-busy", "true");
  await refresh();
  if (!signal.aborted) main.removeAttribute("aria-busy");
}

function drawHeader(current) {
  const link = (name) => element("a", { href: `#${name}${settingsQuery()}`, "aria-current": name === current ? "page" : null }, say(name));
  const views = Object.keys(VIEWS).filter((name) => user?.role === "admin" || !ADMINS.has(name));
  const language = select(languages, currentLanguage(), { "aria-label": say("language"), onchange: (event) => {
    changeLanguage(event.target.value);
    draw();
    top.querySelector("select").focus(); // the header was drawn anew
  } });
  top.replaceChildren(
    element("p", { class: "brand" }, element("img", { src: "/dashboard/icon.svg", alt: "", width: 28, height: 28 }), " Trawl"),
    user ? element("nav", { "aria-label": say("views") }, views.map(link)) : "",
    element("div", { class: "tools" }, user ? pulse() : null, language, themeButton(),
      user ? element("span", { class: "who" }, user.login) : null,
      user ? button(say("sign-out"), () => signOut().catch(() => {})) : null));
}

// Whether the live stream stands, in the header of every view.
function pulse() {
  const dot = element("span", { class: "pulse" });
  onLive(({ connected }) => {
    dot.classList.toggle("on", connected);
    dot.textContent = say(connected ? "connected" : "disconnected");
  }, shown.signal);
  return dot;
}

function themeButton() {
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark ? "dark" : "light")) === "dark";
  const made = button(say("dark"), () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("trawl.theme", theme);
    made.setAttribute("aria-pressed", String(isDark()));
  }, { "aria-pressed": String(isDark()) });
  return made;
}

async function draw(reason) {
  document.querySelector(".skip").textContent = say("skip");
  if (!token()) {
    user = null;
    main.removeAttribute("aria-busy");
    drawHeader("");
    document.title = `${say("sign-in")} · Trawl`;
    showSignIn(main, reason, () => draw());
    return;
  }
  try {
    const isNew = user === null;
    user ??= await profile();
    if (isNew) followLive(signedIn.signal);
    await show();
  } catch {
    if (token()) main.replaceChildren(element("p", { class: "notice bad", role: "alert" }, say("unreachable")), button(say("again"), () => draw(), { class: "primary" }));
  }
}

whenEnded((reason) => {
  shown.abort();
  signedIn.abort();
  signedIn = new AbortController();
  draw(reason);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part of the address after # names the view
  main.focus();
});
window.addEventListener("popstate", async () => {
  if (!user) return;
  await show();
  main.focus({ preventScroll: true });
});
draw();
