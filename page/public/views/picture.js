/** A picture by its renditions, never by its original. */
import { html, nothing } from "../lit.js";
import { decode } from "../thumbhash.js";

const LARGEST_PX = 640;

customElements.define(
  "thumb-hash",
  class extends HTMLElement {
    /** @param {string} text  Base64 */
    set hash(text) {
      const { width, height, rgba } = decode(Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0)));
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width, height });
      canvas.getContext("2d")?.putImageData(new ImageData(rgba, width, height), 0, 0);
      this.replaceChildren(canvas);
    }
  },
);

/**
 * @param {{renditions?: import("../client.js").Rendition[] | null, placeholder?: import("../client.js").Placeholder}} image
 * @param {string} alt
 */
export function picture(image, alt) {
  const made = (image.renditions ?? []).filter((each) => each.width <= LARGEST_PX || image.renditions?.length === 1);
  if (!made.length) return nothing;
  const avif = made.filter((each) => each.type === "AVIF");
  const others = made.filter((each) => each.type !== "AVIF");
  const fallback = others.length ? others : avif;
  const last = fallback[fallback.length - 1];
  return html`
    ${cover(image.placeholder)}
    <picture>
      ${avif.length ? html`<source type="image/avif" srcset=${srcset(avif)} sizes="auto, 14rem" />` : nothing}
      <img src=${fallback[0].f} srcset=${srcset(fallback)} sizes="auto, 14rem" alt=${alt} draggable="false"
        width=${last.width} height=${last.height} loading="lazy" decoding="async" @load=${uncover} />
    </picture>
  `;
}

/** What stands until a picture has come. @param {import("../client.js").Placeholder} [placeholder] */
export const cover = (placeholder) =>
  placeholder ? html`<thumb-hash .hash=${placeholder.thumbhash}></thumb-hash>` : nothing;

/** Take away what stood there: it would shine through. @param {Event} event */
export const uncover = ({ target }) =>
  /** @type {HTMLElement} */ (target).closest(".frame, .thumb")?.querySelector("thumb-hash")?.remove();

/** @param {import("../client.js").Rendition[]} renditions */
const srcset = (renditions) => renditions.map((each) => `${each.f} ${each.width}w`).join(", ");
