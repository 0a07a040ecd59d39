// Reports the views of a page to the server that this script comes from. It sets no cookie and stores nothing.
// <script async src="https://trawl.example/trawl.js" data-site="KEY"></script>
(function () {
  "use strict";
  var script = document.currentScript;
  var site = script && script.getAttribute("data-site");
  var mark = "trawl " + site;
  if (!site || window[mark]) return; // a page may have the snippet twice
  window[mark] = true;
  var url = new URL("collect", script.src).href;
  var referrer = document.referrer;
  var page;

  function send(body) {
    // Text needs no preflight. The browser sends it also when the page is left.
    if (navigator.sendBeacon && navigator.sendBeacon(url, body)) return;
    fetch(url, { method: "POST", body: body, mode: "no-cors", credentials: "omit", keepalive: true })
      .catch(function () {});
  }

  function report() {
    var next = location.href.split("#")[0];
    if (next === page) return;
    try {
      send(JSON.stringify({ site: site, page_url: next, referrer: referrer.slice(0, 2048) }));
    } catch (error) {} // the page must not break
    page = referrer = next;
  }

  // Pages of one document: each new URL is a view.
  ["pushState", "replaceState"].forEach(function (name) {
    var change = history[name];
    history[name] = function () {
      var result = change.apply(this, arguments);
      report();
      return result;
    };
  });
  addEventListener("popstate", report);
  if (window.navigation) navigation.addEventListener("currententrychange", report);
  addEventListener("pageshow", function (event) {
    if (!event.persisted) return;
    page = undefined; // the browser has kept the page, and shows it again
    referrer = document.referrer;
    report();
  });
  if (document.prerendering) document.addEventListener("prerenderingchange", report, { once: true });
  else report();
})();
