// The card of the second factor: a secret as a QR code, its confirmation, recovery codes, and turning it off.
import { requestJson, sendJson } from "../shared/api.js";
import { button, element, field, shape } from "../shared/elements.js";
import { number } from "../shared/formats.js";
import { form } from "../shared/forms.js";
import { attempt } from "../shared/lists.js";
import { redraw } from "../shared/redraw.js";
import { copyButton, showMessage, showOnce } from "../shared/messages.js";
import { translate } from "../shared/words.js";
import { card, currentPassword, named } from "./profile.js";

const BORDER = 4; // modules around a QR code, which readers need

export function secondFactorCard(signal) {
  const content = element("div");
  const root = card("second-factor", content);

  async function load() {
    const state = await requestJson("/profile/totp", { signal });
    redraw(content, ...(state.enabled ? enabled(state) : disabled()));
  }

  function disabled() {
    const begin = form([currentPassword()], translate("totp-begin"), async (values) => {
      const secret = await sendJson("POST", "/profile/totp", named(values));
      content.replaceChildren(...pending(secret));
      content.querySelector("input").focus();
    });
    return [element("p", { class: "dim" }, translate("totp-hint")), begin];
  }

  // The secret is in the page until it is confirmed or the view is left, and nowhere else.
  function pending({ secret, uri, qr }) {
    const code = element("input", { name: "code", autocomplete: "one-time-code", inputmode: "numeric", spellcheck: "false" });
    const confirm = form([field(translate("code"), code, translate("totp-code-hint")), currentPassword()], translate("totp-confirm"), async (values) => {
      const { recovery_codes: codes } = await sendJson("POST", "/profile/totp/confirm", named(values));
      await load();
      showMessage(translate("totp-on"));
      await showOnce(translate("recovery-codes"), codes);
    }, { actions: [button(translate("back"), () => attempt(load))] });
    return [
      element("p", {}, translate("totp-scan")), qrCode(qr),
      element("p", { class: "row" }, element("code", { class: "secret" }, secret), copyButton(secret, { class: "link" }), element("a", { href: uri }, translate("totp-open"))),
      confirm,
    ];
  }

  function enabled({ recovery_codes_left: left }) {
    const remove = form([currentPassword()], translate("totp-off"), async (values) => {
      await sendJson("DELETE", "/profile/totp", named(values));
      showMessage(translate("totp-is-off"));
      await load();
    }, { primary: false });
    return [element("p", {}, element("span", { class: "badge done" }, translate("on")), " ", translate("recovery-codes-left", number(left))), remove];
  }
  return { root, load };
}

// Draws the rows of a QR code, in which 1 is dark. It is black on white in both themes, as readers expect.
function qrCode(rows) {
  const size = rows.length + 2 * BORDER;
  const modules = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => `M${run.index + BORDER} ${y + BORDER}h${run[0].length}v1h-${run[0].length}z`));
  return shape("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": translate("qr-code"), "shape-rendering": "crispEdges" },
    shape("rect", { class: "light", width: size, height: size }), shape("path", { class: "dark", d: modules.join("") }));
}
