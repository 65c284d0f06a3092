/** One product: ways in, what is on its way, what is there. */
import { html, nothing } from "../lit.js";
import { texts } from "../texts.js";
import { cards } from "./gallery.js";
import { queue } from "./queue.js";

const t = texts.add;

/** @param {import("../app.js").App} app */
export function product(app) {
  const { gallery } = app;
  if (!gallery) return nothing;
  return html`
    <p><a href="#/">${texts.products.back}</a></p>
    <h2 tabindex="-1" class="heading"><bdi>${app.title ?? texts.products.number(gallery.productId)}</bdi></h2>
    ${app.isUnknown
      ? html`<p>${texts.products.unknown}</p>`
      : html`
          <section class="add" aria-labelledby="add">
            <h3 id="add">${t.title}</h3>
            <p class="row">${input(app, t.files, false)} ${input(app, t.folder, true)}</p>
            <p class="hint">${t.hint}</p>
          </section>
          ${queue(app)} ${cards(app, gallery)}
        `}
  `;
}

/** @param {import("../app.js").App} app @param {string} label @param {boolean} isFolder */
function input(app, label, isFolder) {
  const chosen = (/** @type {Event} */ event) => {
    const from = /** @type {HTMLInputElement} */ (event.target);
    app.add([...(from.files ?? [])]);
    // So that the same file can be chosen again.
    from.value = "";
  };
  return html`
    <label class="button main">${label}
      <input type="file" class="visually-hidden" multiple ?webkitdirectory=${isFolder}
        accept=${isFolder ? nothing : app.accept} @change=${chosen} />
    </label>
  `;
}
