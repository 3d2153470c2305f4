// What the lab's page adds to JupyterLite: it starts it in the reader's language, tells what is going on while Python starts,
// keeps the reader's changes soon, and looks after the difference between a reader's copy and the published text.
//
// A copy is in this browser only, under the name of its notebook, and hides the published text. tools/lite.py has put a mark
// into each published notebook, a hash of its cells. The copy keeps the mark of the text it was made from, so three cases can
// be told apart: it is of the present text; it is of an older one and the reader changed nothing, then it goes; or the reader
// did change something, and then is asked.
(() => {
  "use strict";
  const { words, marks, kernel } = JSON.parse(document.getElementById("wsk-data").textContent);
  const language = document.documentElement.lang;
  const lab = new URL("../../", location.href).pathname;
  const SOON = 1500;  // milliseconds from a change until it is kept

  // ---------------------------------------------------------------- JupyterLite starts

  // The worker of the site (worker.js) keeps the lab, so that it opens without a network; a page over plain http has none. It
  // starts now, because then the runtime passes through its hands and is not fetched a second time.
  performance.setResourceTimingBufferSize(2000);
  const worker = navigator.serviceWorker?.register(new URL("../sw.js", new URL(lab, location.href)))
    .catch((error) => console.info(`no offline use: ${error.message}`));

  const config = document.getElementById("jupyter-config-data");
  config.textContent = config.textContent.replaceAll("{lab}", lab);
  if (document.body.dataset.notebook === "notebooks" && !crossOriginIsolated) startPython(JSON.parse(config.textContent));
  const bundle = document.createElement("script");
  bundle.src = document.getElementById("wsk-bundle").href;
  document.head.append(bundle);

  // Begin Python now, in the worker that the kernel will ask for when JupyterLite has come so far (python.mjs).
  function startPython({ baseUrl, litePluginSettings }) {
    const options = litePluginSettings[kernel.plugin].loadPyodideOptions;
    const lockFileURL = new URL(options.lockFileURL, new URL(baseUrl, location.href)).href;
    const started = new Worker(lab + kernel.early, { type: "module", name: JSON.stringify({ ...options, lockFileURL }) });
    const Plain = window.Worker;
    window.Worker = class extends Plain {
      constructor(url, settings) {
        if (String(url).endsWith(kernel.worker)) {
          window.Worker = Plain;  // a restarted kernel gets one of its own
          return started;
        }
        super(url, settings);
      }
    };
  }

  const bar = document.createElement("div");
  bar.id = "wsk-bar";
  const spin = Object.assign(document.createElement("span"), { className: "wsk-spin", ariaHidden: "true" });
  const told = document.createElement("span");
  told.setAttribute("role", "status");
  bar.append(spin, told);

  function tell(text, busy = false) {
    told.textContent = text;
    spin.hidden = !busy;
  }

  function button(text, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", action);
    bar.append(made);
    return made;
  }

  // Ask until there is an answer; JupyterLite has no event for what is asked here.
  function until(question) {
    return new Promise((resolve) => {
      const ask = () => {
        const answer = question();
        if (answer) resolve(answer);
        else setTimeout(ask, 50);
      };
      ask();
    });
  }

  async function main() {
    const app = await until(() => window.jupyterapp);
    await app.started;
    document.getElementById("wsk-loading").remove();
    document.body.append(bar);
    window.dispatchEvent(new Event("resize"));  // the bar has taken some of the height
    if (document.body.dataset.notebook !== "notebooks") return tell("");
    tell(words.starting, true);
    const panel = await until(() => app.shell.currentWidget?.context?.isReady && app.shell.currentWidget);
    const { sessionContext } = panel;
    sessionContext.kernelChanged.connect((_, { newValue }) => answer(newValue));
    answer(sessionContext.session?.kernel);
    await look(app, panel);
    const settle = () => {
      if (sessionContext.session?.kernel?.status === "idle") {
        sessionContext.statusChanged.disconnect(settle);
        document.body.dataset.wskReady = "";
        if (told.textContent === words.starting) tell(words.ready);
        else spin.hidden = true;
        keepForOffline();
      }
    };
    sessionContext.statusChanged.connect(settle);
    settle();
  }

  // Saved widgets are shown when the kernel has said which it has. This kernel says nothing; that must not be waited for.
  function answer(kernel) {
    const made = kernel && Object.getPrototypeOf(kernel);
    if (!made || made.wskAnswers) return;
    made.wskAnswers = true;
    const ask = made.requestCommInfo;
    const none = { content: { status: "ok", comms: {} } };
    made.requestCommInfo = function (content) {
      return Promise.race([ask.call(this, content), new Promise((resolve) => setTimeout(() => resolve(none), SOON))]);
    };
  }

  // Have it keep also what was loaded before it was there.
  async function keepForOffline() {
    const registration = await worker;
    if (!registration) return;
    const { active } = await navigator.serviceWorker.ready;
    navigator.serviceWorker.addEventListener("message", () => (document.body.dataset.wskKept = ""));
    const loaded = [location.href, ...performance.getEntriesByType("resource").map((entry) => entry.name)];
    active.postMessage({ language, loaded, lab: true });
  }

  // ---------------------------------------------------------------- a reader's copy

  async function look(app, panel) {
    const { context } = panel;
    const { contents } = app.serviceManager;
    const published = marks[context.path];
    let leaving = false;
    let waiting = 0;

    async function keep() {
      clearTimeout(waiting);
      waiting = 0;
      if (!leaving && context.model.dirty) await context.save();
    }

    // The published text again, and a fresh machine with it.
    async function afresh() {
      leaving = true;
      clearTimeout(waiting);
      await contents.delete(context.path);
      context.model.dirty = false;  // or the browser would ask whether to leave
      location.reload();
    }

    const mark = () => context.model.getMetadata("wsklab")?.published;
    if (published && mark() !== published) {
      if ((await hash(context.model)) === mark()) return afresh();
      ask();
    }
    context.model.contentChanged.connect(() => {
      clearTimeout(waiting);
      waiting = setTimeout(keep, SOON);
    });
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && keep());
    window.addEventListener("pagehide", keep);

    const page = document.createElement("a");
    page.href = `${lab}../${language === "en" ? "" : `${language}/`}lessons/${context.path.replace(/\.ipynb$/, "/")}`;
    page.textContent = words.page;
    if (published) bar.append(page);
    if (published) button(words.afresh, () => confirm(words.sure) && afresh());

    // The text has been revised since the copy was made, and the reader has changed the copy: the reader decides.
    function ask() {
      const before = told.textContent;
      bar.classList.add("wsk-asks");
      tell(words.revised);
      const choices = [
        button(words.mine, () => {
          context.model.setMetadata("wsklab", { published });
          done(before);
        }),
        button(words.theirs, async () => {
          const copy = context.path.replace(/\.ipynb$/, ` (${words.copy} ${new Date().toISOString().slice(0, 10)}).ipynb`);
          await contents.save(copy, { ...(await contents.get(context.path, { content: true })), path: copy, name: copy });
          await afresh();
        }),
      ];
      function done(text) {
        for (const choice of choices) choice.remove();
        bar.classList.remove("wsk-asks");
        tell(text === words.starting && "wskReady" in document.body.dataset ? words.ready : text);
      }
    }
  }

  // The hash of a notebook's cells, as tools/lite.py makes it; nothing where the browser has no hash function (plain http).
  async function hash(model) {
    if (!crypto.subtle) return "";
    const cells = [...model.cells].map((cell) => [cell.type, cell.sharedModel.getSource()]);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(cells)));
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  main();
})();
