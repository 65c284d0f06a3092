/** What is on its way: a line for each file. */
import { chosenFiles } from "../files.js";
import { html, nothing, repeat } from "../lit.js";
import { isTwice } from "../queue.js";
import { texts } from "../texts.js";

const t = texts.queue;

/** @typedef {import("../queue.js").Item} Item */

/** @param {import("../app.js").App} app */
export function queue(app) {
  const { items, left } = app.queue;
  const notes = left.filter((note) => note.productId === app.productId);
  if (!items.length && !notes.length) return nothing;
  const failed = items.filter((item) => item.state === "failed");
  const ready = items.filter((item) => item.state === "ready").length;
  return html`
    <section class="queue" aria-labelledby="queue">
      <h3 id="queue">${t.title}</h3>
      ${items.length
        ? html`<p class="row">${t.summary(ready, items.length, failed.length)}
            ${failed.some((item) => item.file)
              ? html`<button @click=${() => app.queue.retry((item) => !isTwice(item))}>${t.retryAll}</button>`
              : nothing}
            ${ready ? html`<button @click=${() => app.queue.dismiss((item) => item.state === "ready")}>${t.clear}</button>` : nothing}
          </p>`
        : nothing}
      ${notes.length ? html`<p>${t.left}</p><ul>${notes.map((note) => noted(app, note))}</ul>` : nothing}
      <ul class="lines" tabindex="0" role="list" aria-labelledby="queue">
        ${repeat(items, (item) => item.id, (item) => line(app, item))}
      </ul>
    </section>
  `;
}

/** @param {import("../app.js").App} app @param {Item} item */
function line(app, item) {
  const url = app.previews.of(item);
  const again = isTwice(item) ? t.insist : texts.retry;
  const moves = ["sending", "sent", "pausing"].includes(item.state);
  return html`
    <li class=${item.state} data-name=${item.name}>
      <span class="thumb">${url ? html`<img src=${url} alt="" />` : nothing}</span>
      <span class="what">
        <bdi>${item.name}</bdi>
        ${item.productId === app.productId ? nothing : html`<small>${texts.products.number(item.productId)}</small>`}
        <span class="state" lang=${item.failure?.detail ? "en" : nothing}>${says(item)}</span>
        ${moves ? html`<progress max="100" value=${item.percent} aria-label=${t.progress(item.name)}></progress>` : nothing}
      </span>
      ${item.state === "failed" && item.file
        ? html`<button aria-label="${again}: ${item.name}" @click=${() => app.queue.retry((each) => each === item)}>${again}</button>`
        : nothing}
      ${["waiting", "failed", "ready"].includes(item.state)
        ? html`<button class="icon" aria-label=${t.dismiss(item.name)} @click=${() => app.queue.dismiss((each) => each === item)}>✕</button>`
        : nothing}
    </li>
  `;
}

/** What a line says. @param {Item} item */
function says(item) {
  switch (item.state) {
    case "sending":
      return t.sending(item.percent);
    case "pausing":
      return item.pause === "offline" ? t.offline : t.busy(Math.max(0, Math.ceil((item.until - Date.now()) / 1000)));
    case "failed":
      if (isTwice(item)) return t.reasons.there;
      return `${t.failed}: ${t.reasons[item.failure?.code ?? ""] ?? item.failure?.detail}`;
    default:
      return t[item.state];
  }
}

/** @param {import("../app.js").App} app @param {import("../queue.js").Note} note */
function noted(app, note) {
  return html`
    <li>
      <bdi>${note.name}</bdi>
      ${fileButton(t.sendAgain, app.accept, ([file]) => app.sendAgain(note, file), false)}
      <button @click=${() => app.dropNote(note)}>${texts.remove}</button>
    </li>
  `;
}

/**
 * @param {string} label @param {string | typeof nothing} accept  nothing: a whole folder
 * @param {(files: File[]) => void} onFiles @param {boolean} [isMany]
 */
export function fileButton(label, accept, onFiles, isMany = true) {
  const chosen = (/** @type {Event} */ event) => {
    const from = /** @type {HTMLInputElement} */ (event.target);
    if (from.files?.length) onFiles(chosenFiles(from.files));
    // So that the same file can be chosen again.
    from.value = "";
  };
  return html`
    <label class=${isMany ? "button main" : "button"}>${label}
      <input type="file" class="visually-hidden" ?multiple=${isMany} ?webkitdirectory=${accept === nothing}
        accept=${accept} @change=${chosen} />
    </label>
  `;
}
