/** Starts the page: what the browser tells it of, and when it is drawn. */
import { App } from "./app.js";
import { droppedFiles } from "./files.js";
import { html, nothing, render } from "./lit.js";
import { language, texts } from "./texts.js";
import { product, products } from "./views/products.js";
import { signIn } from "./views/sign-in.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
let isPlanned = false;
/** What gets the focus when all is drawn: the first that is there. @type {string[]} */
let toFocus = [];

const app = new App({
  storage: sessionStorage,
  onChange: plan,
  focus: (...selectors) => {
    toFocus = selectors;
    plan();
  },
});

function plan() {
  if (isPlanned) return;
  isPlanned = true;
  // No frame is drawn while the page is hidden; what is on its way goes on without.
  requestAnimationFrame(() => {
    isPlanned = false;
    draw();
  });
}

function draw() {
  app.previews.tidy(app.queue.items);
  const leaving = app.gallery?.undoable ?? 0;
  render(
    html`
      <header class="row">
        <h1><a href="#/">${texts.title}</a></h1>
        ${app.isSignedIn ? html`<button @click=${() => app.signOut()}>${texts.signIn.out}</button>` : nothing}
      </header>
      <main>
        ${app.message
          ? html`<p class="message row" role="alert"><span>${app.message}</span>
              <button class="icon" aria-label=${texts.close} @click=${() => ((app.message = null), plan())}>✕</button></p>`
          : nothing}
        ${!app.isSignedIn || (app.isSigningIn && !app.isKeyRefused) ? signIn(app) : app.gallery ? product(app) : products(app)}
      </main>
      <dialog aria-labelledby="sign-in" @cancel=${(/** @type {Event} */ event) => event.preventDefault()}>
        ${app.isKeyRefused ? signIn(app) : nothing}
      </dialog>
      <div class="toast row" ?hidden=${!leaving}>
        <span>${texts.gallery.removed(leaving)}</span><button @click=${() => app.undo()}>${texts.gallery.undo}</button>
      </div>
      <div class="drop-here" ?hidden=${!app.isDropping}>${texts.add.drop}</div>
      <p role="status" class="visually-hidden">${app.spoken}</p>
    `,
    root,
  );
  const dialog = /** @type {HTMLDialogElement} */ (root.querySelector("dialog"));
  if (app.isKeyRefused !== dialog.open) dialog[app.isKeyRefused ? "showModal" : "close"]();
  const found = toFocus.map((each) => /** @type {HTMLElement | null} */ (root.querySelector(each))).find(Boolean);
  found?.focus();
  toFocus = [];
  watchEnd();
}

const more = new IntersectionObserver(
  (entries) => {
    // After an error it is asked again by the clock alone.
    if (!app.gallery || !entries.some((entry) => entry.isIntersecting)) return;
    app.act(app.gallery.more().then(() => more.disconnect()));
  },
  { rootMargin: "600px" },
);

function watchEnd() {
  const end = root.querySelector(".end");
  if (end) more.observe(end);
}

document.documentElement.lang = language;
document.title = texts.title;
addEventListener("hashchange", () => app.open(location.hash));
addEventListener("online", () => app.queue.delivery.wake());
addEventListener("beforeunload", (event) => {
  if (app.queue.isBusy) event.preventDefault();
});
addEventListener("pagehide", () => app.gallery?.leave());
document.addEventListener("visibilitychange", () => app.polling.hide(document.hidden));
setInterval(() => {
  more.disconnect();
  watchEnd();
  if (app.queue.items.some((item) => item.state === "pausing")) plan();
}, 1000);

// Anywhere on the page: beside a zone the browser would show the file in the page's place.
const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  if (!app.isDropping && app.gallery) plan();
  app.isDropping = Boolean(app.gallery);
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget) return;
  app.isDropping = false;
  plan();
});
addEventListener("drop", (event) => {
  if (!carriesFiles(event) || !event.dataTransfer) return;
  event.preventDefault();
  app.isDropping = false;
  plan();
  app.act(droppedFiles(event.dataTransfer).then((files) => app.add(files)));
});
addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  app.add(files);
});

app.open(location.hash);
app.polling.soon();
