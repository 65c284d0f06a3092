/** The products: their list, with a search, and one with the ways in, what is on its way, and what is there. */
import { html, nothing, repeat } from "../lit.js";
import { texts } from "../texts.js";
import { cards } from "./gallery.js";
import { cover, uncover } from "./picture.js";
import { fileButton, queue } from "./queue.js";

const t = texts.products;

/** @param {import("../app.js").App} app */
export function products(app) {
  const { q, results, next, isLoading } = app.catalogue.list;
  return html`
    <h2 tabindex="-1" class="heading">${t.title}</h2>
    <search>
      <label>${t.search}
        <input type="search" .value=${q}
          @input=${(/** @type {InputEvent} */ event) => app.search(/** @type {HTMLInputElement} */ (event.target).value)} />
      </label>
    </search>
    <ul class="products" aria-busy=${isLoading ? "true" : "false"}>
      ${repeat(results, (each) => each.product_id, row)}
    </ul>
    ${!results.length ? html`<p>${isLoading ? texts.loading : t.none}</p>` : nothing}
    ${next ? html`<button class="more" @click=${() => app.act(app.catalogue.more())}>${t.more}</button>` : nothing}
  `;
}

/** @param {import("../client.js").Product} product */
function row({ product_id, title, count, primary }) {
  const thumb = primary?.thumbnail;
  return html`
    <li>
      <a href="#/products/${product_id}">
        <span class="thumb">
          ${cover(primary?.placeholder)}
          ${thumb ? html`<img src=${thumb.f} width=${thumb.width} height=${thumb.height} alt="" loading="lazy" @load=${uncover} />` : nothing}
        </span>
        <span><bdi>${title ?? t.number(product_id)}</bdi>
          <small>${title ? html`${t.number(product_id)} · ` : nothing}${t.count(count)}</small></span>
      </a>
    </li>
  `;
}

/** @param {import("../app.js").App} app */
export function product(app) {
  const { gallery } = app;
  if (!gallery) return nothing;
  const add = (/** @type {File[]} */ files) => app.add(files);
  return html`
    <p><a href="#/">${t.back}</a></p>
    <h2 tabindex="-1" class="heading"><bdi>${app.title ?? t.number(gallery.productId)}</bdi></h2>
    ${app.isUnknown
      ? html`<p>${t.unknown}</p>`
      : html`
          <section class="add" aria-labelledby="add">
            <h3 id="add">${texts.add.title}</h3>
            <p class="row">${fileButton(texts.add.files, app.accept, add)}
              ${fileButton(texts.add.folder, nothing, add)}</p>
            <p class="hint">${texts.add.hint}</p>
          </section>
          ${queue(app)} ${cards(app, gallery)}
        `}
  `;
}
