// The view of sites, for admins: pages of a shop that report their views by a snippet.
import { requestJson, rootUrl, sendJson } from "../shared/api.js";
import { button, element, field } from "../shared/elements.js";
import { moment } from "../shared/formats.js";
import { form } from "../shared/forms.js";
import { attempt, list } from "../shared/lists.js";
import { confirmAction, copyButton } from "../shared/messages.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";

export async function show(view, context) {
  const sites = list({ name: "sites", path: "/sites", columnsOf: columns, heading: false, empty: () => element("p", { class: "dim" }, translate("no-sites")) }, { signal: context.signal });
  const name = element("input", { name: "name", autocomplete: "off" });
  const origins = element("input", { name: "origins", placeholder: "https://shop.example", autocomplete: "off", spellcheck: "false" });
  const create = form([field(translate("site-name"), name), field(translate("origins"), origins, translate("origins-hint"))], translate("site-add"), async (values) => {
    await sendJson("POST", "/sites", { name: values.name, origins: values.origins.split(/[\s,]+/).filter(Boolean) });
    create.reset();
    await sites.load();
  });
  view.replaceChildren(element("h1", {}, translate("sites")), element("p", { class: "dim" }, translate("sites-hint")),
    element("section", { class: "card", "aria-label": translate("site-add") }, create), sites.root);
  await sites.load();
}

// The key is public: it stands in the pages, and only records their views.
function snippetOf({ key }) {
  return `<script async src="${rootUrl}/trawl.js" data-site="${key}"></script>\n`
    + `<noscript><img src="${rootUrl}/pixel.gif?site=${key}" alt="" width="1" height="1" referrerpolicy="no-referrer-when-downgrade"></noscript>`;
}

function columns(reload) {
  const remove = async (site) => {
    if (!(await confirmAction(translate("site-sure", site.name), translate("delete")))) return;
    await attempt(async () => {
      await requestJson(`/sites/${site.id}`, { method: "DELETE" });
      await reload();
    });
  };
  return [
    { label: translate("column.name"), of: (site) => element("strong", {}, site.name) },
    { label: translate("origins"), of: (site) => element("span", { class: "name" }, site.origins.join(", ")) },
    { label: translate("snippet"), of: (site) => element("details", { class: "snippet" }, element("summary", {}, translate("snippet-show")), element("pre", {}, element("code", {}, snippetOf(site))), copyButton(snippetOf(site))) },
    { label: translate("column.created"), of: (site) => moment(site.created_at, settings.tz) },
    { label: translate("column.actions"), of: (site) => button(translate("delete"), () => remove(site), { class: "link" }) },
  ];
}
