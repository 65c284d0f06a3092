/** The pictures of a product: cards in their order. */
import { drag } from "../dragging.js";
import { html, nothing, repeat } from "../lit.js";
import { texts } from "../texts.js";
import { picture } from "./picture.js";

const t = texts.gallery;
const MOST_CHARACTERS = 1_000;

/**
 * @typedef {import("../app.js").App} App
 * @typedef {import("../client.js").Image} Image
 */

/** @param {App} app @param {import("../gallery.js").Gallery} gallery */
export function cards(app, gallery) {
  const images = gallery.images;
  return html`
    <section aria-labelledby="gallery">
      <h3 id="gallery">${t.title} <small>${gallery.isLoaded ? t.count(gallery.count - gallery.leaving.size) : nothing}</small></h3>
      ${gallery.selected.size ? chosen(app, gallery) : nothing}
      <ol class="gallery" role="list">
        ${repeat(images, (image) => image.id, (image, at) => card(app, gallery, image, at, images.length))}
      </ol>
      ${!gallery.isLoaded ? html`<p>${texts.loading}</p>` : !images.length ? html`<p>${t.empty}</p>` : nothing}
      ${gallery.hasMore ? html`<p class="end">${texts.loading}</p>` : nothing}
    </section>
  `;
}

/** @param {App} app @param {import("../gallery.js").Gallery} gallery */
function chosen(app, gallery) {
  const ids = [...gallery.selected];
  const again = (/** @type {import("../queue.js").Item} */ item) => ids.includes(item.imageId ?? 0);
  const canRetry = app.queue.items.some((item) => item.state === "failed" && item.file && again(item));
  return html`
    <p class="row toolbar" role="toolbar" aria-label=${t.selected(ids.length)}>
      <strong>${t.selected(ids.length)}</strong>
      <button @click=${() => app.remove(ids)}>${texts.remove}</button>
      ${canRetry ? html`<button @click=${() => app.queue.retry(again)}>${texts.retry}</button>` : nothing}
      <button @click=${() => app.selectNone()}>${t.selectNone}</button>
    </p>
  `;
}

/** @param {App} app @param {import("../gallery.js").Gallery} gallery @param {Image} image @param {number} at @param {number} all */
function card(app, gallery, image, at, all) {
  const { id } = image;
  const name = image.alt_text || image.name || t.picture(at + 1);
  const shown = picture(image, image.alt_text);
  return html`
    <li class="card ${app.dropMark(id)}" data-id=${id} aria-label=${t.picture(at + 1)}>
      <div class="frame ${image.status}"
        @pointerdown=${(/** @type {PointerEvent} */ event) => event.pointerType === "mouse" && grip(app, event, id)}>
        ${shown}
        ${shown === nothing ? html`<p>${stateOf(image)}<br /><bdi>${image.name}</bdi></p>` : nothing}
        ${image.is_primary ? html`<strong class="badge">${t.primary}</strong>` : nothing}
      </div>
      ${image.status === "failed" ? html`<p class="error" lang="en">${image.error}</p>` : nothing}
      <div class="row">
        <input type="checkbox" aria-label=${t.select(name)} .checked=${gallery.selected.has(id)} @change=${() => gallery.toggle(id)} />
        <button class="icon handle" aria-label=${t.move(name, at + 1, all)}
          @pointerdown=${(/** @type {PointerEvent} */ event) => grip(app, event, id)}
          @keydown=${(/** @type {KeyboardEvent} */ event) => keys(app, event, id, at, all)}>⠿</button>
        ${icon("↑", t.earlier, name, () => app.move(id, at - 1), !at)}
        ${icon("↓", t.later, name, () => app.move(id, at + 1), at === all - 1)}
        ${icon("✕", texts.remove, name, () => app.remove([id]))}
      </div>
      ${altText(app, gallery, image)}
      ${image.is_primary || image.status === "failed"
        ? nothing
        : html`<button @click=${() => app.act(gallery.makePrimary(id))}>${t.makePrimary}</button>`}
    </li>
  `;
}

/** @param {string} sign @param {string} does @param {string} name @param {() => void} act @param {boolean} [isOff] */
const icon = (sign, does, name, act, isOff = false) => html`
  <button class="icon" title=${does} aria-label="${does}: ${name}" ?disabled=${isOff} @click=${act}>${sign}</button>
`;

/** @param {Image} image */
function stateOf(image) {
  if (image.status === "failed") return t.failed;
  if (image.status === "ready") return t.preparing;
  const until = image.upload_expires_at;
  return until && Date.parse(until) < Date.now() ? t.neverCame : t.pending;
}

/** @param {App} app @param {import("../gallery.js").Gallery} gallery @param {Image} image */
function altText(app, gallery, image) {
  const draft = gallery.drafts.get(image.id);
  const text = draft?.text ?? image.alt_text;
  const settle = (/** @type {boolean} */ mine) => () => app.act(gallery.settle(image.id, mine));
  return html`
    <label class="alt">${t.altText}
      <textarea rows="2" dir="auto" .value=${text} aria-describedby="says-${image.id}"
        @input=${(/** @type {InputEvent} */ event) => gallery.edit(image.id, /** @type {HTMLTextAreaElement} */ (event.target).value)}
        @blur=${() => app.act(gallery.saveText(image.id))}></textarea>
    </label>
    <small id="says-${image.id}">${t.characters([...text.normalize("NFC")].length, MOST_CHARACTERS)}
      ${draft?.state === "saving" ? t.saving : nothing}</small>
    ${draft?.theirs != null
      ? html`<div class="conflict" role="alert">
          <p>${t.conflict} <q dir="auto">${draft.theirs || t.nothing}</q></p>
          <button @click=${settle(true)}>${t.keepMine}</button>
          <button @click=${settle(false)}>${t.takeTheirs}</button>
        </div>`
      : nothing}
  `;
}

/** @param {App} app @param {PointerEvent} event @param {number} id */
function grip(app, event, id) {
  const card = /** @type {HTMLElement} */ (event.target).closest(".card");
  if (event.button || !(card instanceof HTMLElement)) return;
  const idOf = (/** @type {HTMLElement | null} */ over) => (over ? Number(over.dataset.id) : null);
  drag(event, { card, onOver: (over) => app.dragOver(id, idOf(over)), onDrop: (over) => app.drop(id, idOf(over)) });
}

/** @param {App} app @param {KeyboardEvent} event @param {number} id @param {number} at @param {number} all */
function keys(app, event, id, at, all) {
  const isRtl = getComputedStyle(document.documentElement).direction === "rtl";
  /** @type {Record<string, number>} */
  const places = {
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    ArrowLeft: at + (isRtl ? 1 : -1),
    ArrowRight: at + (isRtl ? -1 : 1),
    Home: 0,
    End: all - 1,
  };
  const to = places[event.key];
  if (to === undefined) return;
  event.preventDefault();
  app.move(id, to);
}
