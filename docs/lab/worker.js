// The service worker of the site: with it, what was opened once opens again without a network, and the lab is fetched once.
//
// Two caches. The files of JupyterLite and of Pyodide never change under their names while the pinned versions stay: they are
// answered from the cache. Everything else is asked of the network first, so that a reader never misses an update, and only
// without an answer taken from the cache. What an older release left is deleted when this one takes over.
"use strict";
const { release, versions, lasting, runtime, pages } = /* filled in by tools/lite.py */ @data@;
const root = new URL("./", location.href).href;
const LASTING = `${root} lasting ${versions}`;
const PAGES = `${root} pages ${release}`;

const plain = (url) => String(url).replace(/[?#].*$/, "").replace(/\/index\.html$/, "/");
const inside = (url) => plain(url).slice(root.length);
const stays = (url) => lasting.some((start) => inside(url).startsWith(start));

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith(`${root} `) && name !== LASTING && name !== PAGES) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(root) && !request.headers.has("range")) {
    event.respondWith(stays(request.url) ? cached(event, request) : fresh(event, request));
  }
});

async function cached(event, request) {
  const found = await (await caches.open(LASTING)).match(plain(request.url));
  if (found) return found;
  const answer = await fetch(request);
  event.waitUntil(keep(LASTING, request.url, answer.clone()));  // the page does not wait for that
  return answer;
}

async function fresh(event, request) {
  try {
    const answer = await fetch(request);
    event.waitUntil(keep(PAGES, request.url, answer.clone()));
    return answer;
  } catch (error) {
    const found = await (await caches.open(PAGES)).match(plain(request.url));
    if (found) return found;
    throw error;
  }
}

async function keep(name, url, answer) {
  if (answer.status === 200 && answer.type === "basic" && !answer.redirected) {
    await (await caches.open(name)).put(plain(url), answer);
  }
}

// A page says what it has loaded before this worker was there, in which language it is, and whether it is the lab. What was
// loaded is taken from the browser's own cache, by the address by which it went there.
self.addEventListener("message", (event) => {
  const { language, loaded, lab } = event.data;
  const wanted = new Map([...pages[language], ...(lab ? runtime : [])].map((path) => [plain(root + path), root + path]));
  for (const url of loaded.filter((url) => url.startsWith(root))) wanted.set(plain(url), url.replace(/#.*$/, ""));
  event.waitUntil((async () => {
    for (const [key, url] of wanted) {
      const name = stays(url) ? LASTING : PAGES;
      if (await (await caches.open(name)).match(key)) continue;
      const cache = name === LASTING ? "force-cache" : "default";
      await fetch(url, { cache }).then((answer) => keep(name, url, answer), () => undefined);
    }
    event.source?.postMessage({ kept: release });
  })());
});
