// The header: the navigation, whether the live stream is connected, language, theme, and signing out.
import { rootUrl } from "./api.js";
import { fragment } from "./address.js";
import { button, element, select } from "./elements.js";
import { onLive } from "./live.js";
import { settingsParameters } from "./settings.js";
import { changeLanguage, currentLanguage, languages, translate } from "./words.js";

const top = document.getElementById("top");

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
    element("div", { class: "tools" }, user ? pulse(signal) : null, onShare ? button(translate("share"), onShare) : null, onPrint ? button(translate("print"), onPrint) : null, language, themeButton(),
      user ? button(translate("sign-out"), onSignOut, { title: user.login }) : null));
  revealCurrent(links.find((link) => link.ariaCurrent === "page"));
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
  const toggle = button(translate("dark"), () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("trawl.theme", theme);
    toggle.setAttribute("aria-pressed", String(isDark()));
  }, { "aria-pressed": String(isDark()) });
  return toggle;
}
