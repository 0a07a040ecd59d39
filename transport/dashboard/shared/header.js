// The header: the navigation, whether the live stream is connected, language, theme, and signing out.
import { rootUrl } from "./api.js";
import { fragment } from "./address.js";
import { button, element, select, shape } from "./elements.js";
import { onLive } from "./live.js";
import { settingsParameters } from "./settings.js";
import { changeLanguage, currentLanguage, languages, translate } from "./words.js";

const top = document.getElementById("top");
// Pictures of 16 × 16, which stand for the words where the window is narrow.
const ICONS = {
  share: "M8 10V2M5 5l3-3 3 3M3 8v6h10V8", print: "M4 6V2h8v4M4 12H2V6h12v6h-2M4 10h8v4H4z", dark: "M13 10A6 6 0 1 1 6 3a5 5 0 0 0 7 7z",
  "sign-out": "M6 14H3V2h3M7 8h7M11 5l3 3-3 3",
};

// `views`: names of those that the user may see; none while nobody is signed in.
export function drawHeader({ views = [], current = "", user, signal, onShare, onPrint, onLanguage, onSignOut }) {
  const language = select(languages, currentLanguage(), { "aria-label": translate("language"), onchange: (event) => {
    changeLanguage(event.target.value);
    onLanguage();
    top.querySelector("select").focus(); // the header was redrawn
  } });
  const links = views.map((name) => element("a", { href: fragment(name, settingsParameters()), "aria-current": name === current ? "page" : null }, translate(name)));
  top.replaceChildren(
    element("p", { class: "brand" }, element("img", { src: `${rootUrl}/dashboard/icon.svg`, alt: "", width: 28, height: 28 }), element("span", {}, "Trawl")),
    views.length ? element("nav", { "aria-label": translate("views") }, links) : "",
    element("div", { class: "tools" }, user ? pulse(signal) : null, onShare ? tool("share", onShare) : null, onPrint ? tool("print", onPrint) : null, language, themeButton(),
      user ? tool("sign-out", onSignOut, { title: user.login }) : null));
  revealCurrent(links.find((link) => link.ariaCurrent === "page"));
}

function tool(name, onclick, attributes = {}) {
  const icon = shape("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, shape("path", { d: ICONS[name] }));
  return button([icon, element("span", {}, translate(name))], onclick, { class: "tool", ...attributes });
}

// In a narrow window the navigation is one row that scrolls; the page itself stays where it is.
function revealCurrent(link) {
  if (link) link.parentElement.scrollLeft = link.offsetLeft - (link.parentElement.clientWidth - link.clientWidth) / 2;
}

function pulse(signal) {
  const dot = element("span", { class: "pulse" });
  onLive(({ connected }) => {
    dot.classList.toggle("on", connected);
    dot.textContent = translate(connected ? "connected" : "disconnected");
  }, signal);
  return dot;
}

function themeButton() {
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark ? "dark" : "light")) === "dark";
  const toggle = tool("dark", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("trawl.theme", theme);
    toggle.setAttribute("aria-pressed", String(isDark()));
  }, { "aria-pressed": String(isDark()) });
  return toggle;
}
