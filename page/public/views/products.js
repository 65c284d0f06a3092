/** The list of products, with a search. */
import { html, nothing, repeat } from "../lit.js";
import { texts } from "../texts.js";
import { cover, uncover } from "./picture.js";

const t = texts.products;

/** @param {import("../app.js").App} app */
export function products(app) {
  const { results, next, isLoading } = app.products;
  return html`
    <h2 tabindex="-1" class="heading">${t.title}</h2>
    <search>
      <label>${t.search}
        <input type="search" .value=${app.products.q}
          @input=${(/** @type {InputEvent} */ event) => app.search(/** @type {HTMLInputElement} */ (event.target).value)} />
      </label>
    </search>
    <ul class="products" aria-busy=${isLoading ? "true" : "false"}>
      ${repeat(results, (each) => each.product_id, row)}
    </ul>
    ${!results.length ? html`<p>${isLoading ? texts.loading : t.none}</p>` : nothing}
    ${next ? html`<button class="more" @click=${() => app.moreProducts()}>${t.more}</button>` : nothing}
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
