// The pictures of a panel that are not shown at first are files of their own, so that a page stays light. They are put into the
// page itself, not shown as images: only there do they follow its colours.
for (const place of document.querySelectorAll("[data-picture]")) {
  fetch(place.dataset.picture)
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(answer.status))))
    .then((picture) => { place.innerHTML = picture; });
}
