// The dialog that shares a view: it makes links, and lists and ends those there are. A link is shown once.
import { requestJson, sendJson } from "../shared/api.js";
import { address } from "../shared/address.js";
import { button, element, field, select } from "../shared/elements.js";
import { moment } from "../shared/formats.js";
import { form } from "../shared/forms.js";
import { attempt, list } from "../shared/lists.js";
import { showDialog, showOnce } from "../shared/messages.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";

// Views that can be shared, each with the preset that it has if none is chosen.
const FALLBACKS = { overview: "7d", reports: "all" };
const DAYS = [1, 7, 30, 365];
const DAY = 86_400_000;
const NEVER = "never";

export const canShare = (view) => Object.hasOwn(FALLBACKS, view);

export async function shareView(view) {
  const stop = new AbortController();
  const shares = list({ name: "shares", path: "/shares", columnsOf: columns, heading: false }, { signal: stop.signal });
  const choices = [...DAYS.map((days) => [String(days), translate("share-days", days)]), [NEVER, translate("share-never")]];
  const end = field(translate("share-end"), select(choices, String(DAYS[2]), { name: "days" }));
  const create = form([end], translate("share-make"), async ({ days }) => {
    const expiry = days === NEVER ? {} : { expires_at: new Date(Date.now() + Number(days) * DAY).toISOString() };
    const { link } = await sendJson("POST", "/shares", { view, parameters: parametersOf(view), ...expiry });
    await shares.load();
    await showOnce(translate("share-shown"), [`${location.origin}${link}`]);
  });
  const title = translate("share-view", translate(view));
  await shares.load();
  await showDialog(title, element("h2", {}, title), element("p", {}, translate("share-hint")), create,
    element("details", {}, element("summary", {}, translate("shares")), shares.root));
  stop.abort();
}

// The zone is named always: a link shows the same to readers in all zones.
function parametersOf(view) {
  const { period, from, to, tz, source, traffic } = settings;
  const span = from || to ? { from, to } : { period: period || FALLBACKS[view] };
  const parameters = { ...span, tz, source: source === "all" ? "" : source, traffic, ...address.own };
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ""));
}

function columns(reload) {
  const end = (share) => attempt(async () => {
    await requestJson(`/shares/${share.id}`, { method: "DELETE" });
    await reload();
  });
  const time = (value) => value && moment(value, settings.tz);
  return [
    { label: translate("share-what"), of: (share) => element("span", {}, translate(share.view), element("span", { class: "dim" }, ` ${described(share.parameters)}`)) },
    { label: translate("share-end"), of: (share) => time(share.expires_at) ?? translate("never") },
    { label: translate("column.last-used"), of: (share) => time(share.last_used_at) ?? translate("never") },
    { label: translate("column.actions"), of: (share) => button(translate("end-session"), () => end(share), { class: "link" }) },
  ];
}

function described({ period, from, to, tz, ...others }) {
  const span = period ? translate(`period.${period}`) : [from, to].filter(Boolean).join(" – ");
  const unit = others.unit && translate(`unit-name.${others.unit}`);
  return [span, ...Object.values({ ...others, unit })].filter(Boolean).join(" · ");
}
