// The pictures of a panel that are not shown at first are files of their own, so that a page stays light. They are put into the
// page itself, not shown as images: only there do they follow its colours.
for (const place of document.querySelectorAll("[data-picture]")) {
  fetch(place.dataset.picture)
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(answer.status))))
    .then((picture) => { place.innerHTML = picture; })
    .then(scrollable);
}

// What is wider than its place is scrolled, also with the keys.
function scrollable() {
  for (const place of document.querySelectorAll(".wsk-shown, [data-picture], .md-typeset__scrollwrap, .wsk-printed pre")) {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }
}
addEventListener("resize", scrollable);
addEventListener("load", scrollable);

// The theme's search is a dialog without a name.
const search = document.querySelector("[data-md-component=search][role=dialog]");
search?.setAttribute("aria-label", search.querySelector("input").placeholder);

// What was opened once opens again without a network: the worker of the site keeps it (docs/lab/worker.js).
if (navigator.serviceWorker) {
  const language = document.documentElement.lang;
  const root = new URL(language === "en" ? "../" : "../../", document.currentScript.src);
  addEventListener("load", async () => {
    try {
      await navigator.serviceWorker.register(new URL("sw.js", root));
      const { active } = await navigator.serviceWorker.ready;
      active.postMessage({ language, loaded: [location.href, ...performance.getEntriesByType("resource").map((entry) => entry.name)] });
    } catch (error) {
      console.info(`no offline use: ${error.message}`);
    }
  });
}
