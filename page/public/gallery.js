/**
 * The pictures of one product as the service has them, and what is about to change. Free of the document.
 *
 * @typedef {import("./client.js").Image} Image
 * @typedef {{text: string, base: string, theirs: string | null, state: "editing" | "saving"}} Draft
 *   `base`: the text that the edit began with. `theirs`: what somebody else wrote meanwhile.
 */
import { isStatus } from "./client.js";

const PAGE = 100;
export const UNDO_MILLISECONDS = 8_000;

export class Gallery {
  /**
   * @param {import("./client.js").Client} client @param {number} productId
   * @param {() => void} onChange
   */
  constructor(client, productId, onChange) {
    this.client = client;
    this.productId = productId;
    this.onChange = onChange;
    this.count = 0;
    this.isLoaded = false;
    /** Pages that were loaded, each as it was answered. @type {{etag: string, results: Image[]}[]} */
    this.pages = [];
    /** Another order than that of the pages, while it is being made. @type {number[] | null} */
    this.arranged = null;
    this.held = false;
    /** @type {Map<number, Draft>} */
    this.drafts = new Map();
    /** @type {Promise<void> | null} */
    this.loading = null;
    /** To be removed when their time is over; null: it is. @type {Map<number, ReturnType<typeof setTimeout> | null>} */
    this.leaving = new Map();
    /** @type {Set<number>} */
    this.selected = new Set();
  }

  /** What is shown, in its order. @returns {Image[]} */
  get images() {
    const all = this.all().filter((image) => !this.leaving.has(image.id));
    if (!this.arranged) return all;
    const places = new Map(this.arranged.map((id, place) => [id, place]));
    const place = (/** @type {Image} */ image) => places.get(image.id) ?? all.length;
    return all.toSorted((one, other) => place(one) - place(other));
  }

  /** @returns {Image[]} */
  all() {
    // One that has moved from page to page meanwhile stands in both.
    const images = this.pages.flatMap((page) => page.results);
    return [...new Map(images.map((image) => [image.id, image])).values()];
  }

  get hasMore() {
    return this.pages.length * PAGE < this.count;
  }

  get hasPending() {
    return this.all().some((image) => image.status === "pending" || (image.status === "ready" && !image.renditions));
  }

  /** What the service holds, as far as it was loaded. */
  stored() {
    const all = this.all();
    const orders = new Map(all.map((image) => [image.id, image.order]));
    return { etag: this.pages[0].etag, ids: all.map((image) => image.id), orders };
  }

  /** @param {number[]} ids */
  arrange(ids) {
    this.arranged = ids;
    this.onChange();
  }

  /** Load the next page; who asks while it is loaded waits for the same. */
  more() {
    this.loading ??= this.loadNext().finally(() => (this.loading = null));
    return this.loading;
  }

  async loadNext() {
    const index = this.pages.length;
    const loaded = await this.client.images(this.productId, { offset: index * PAGE, limit: PAGE });
    // Pages may have come or gone with a refresh.
    if (loaded && index === this.pages.length) this.take(index, loaded);
    this.onChange();
  }

  /**
   * Ask for every loaded page again; true if something is new.
   *
   * @param {boolean} [always]  an order is being saved, and what is there now must be known
   */
  async refresh(always = false) {
    if (this.held && !always) return false;
    let news = false;
    for (let index = 0; index < Math.max(1, this.pages.length); index += 1) {
      const etag = this.pages[index]?.etag ?? null;
      const loaded = await this.client.images(this.productId, { offset: index * PAGE, limit: PAGE, etag });
      if (loaded) this.take(index, loaded);
      news ||= loaded !== null;
    }
    if (!this.held) {
      news ||= this.arranged !== null;
      this.arranged = null;
    }
    if (news) this.onChange();
    return news;
  }

  /** @param {number} index @param {{page: import("./client.js").Page, etag: string}} loaded */
  take(index, { page, etag }) {
    this.isLoaded = true;
    this.count = page.count;
    this.pages[index] = { etag, results: page.results };
    if (index && index * PAGE >= page.count) this.pages.length = index;
    for (const image of page.results) this.compare(image);
  }

  /** @param {Image} image  as it is now */
  put(image) {
    for (const page of this.pages) {
      const at = page.results.findIndex((each) => each.id === image.id);
      // The page is another one than its tag says.
      if (at >= 0) Object.assign(page, { results: page.results.with(at, image), etag: "" });
    }
    this.compare(image);
    this.onChange();
  }

  /** @param {number} id */
  find(id) {
    return this.all().find((image) => image.id === id);
  }

  // --- What is said of a picture ---------------------------------------------------------------------

  /** @param {number} id @param {string} text */
  edit(id, text) {
    const { base, theirs } = this.drafts.get(id) ?? { base: this.find(id)?.alt_text ?? "", theirs: null };
    this.drafts.set(id, { text, base, theirs, state: "editing" });
    this.onChange();
  }

  /** Save an edit, unless somebody else has changed the text meanwhile. @param {number} id */
  async saveText(id) {
    const draft = this.drafts.get(id);
    const image = this.find(id);
    if (!draft || !image || draft.theirs !== null || draft.state === "saving") return;
    if (draft.text.trim() === draft.base) {
      this.drop(id);
      return;
    }
    draft.state = "saving";
    this.onChange();
    try {
      const saved = await this.client.change(this.productId, id, { alt_text: draft.text }, image.etag);
      const newer = this.drafts.get(id);
      if (newer === draft) this.drop(id);
      else if (newer) newer.base = saved.alt_text;
      this.put(saved);
    } catch (error) {
      draft.state = "editing";
      if (!isStatus(error, 412)) throw error;
      this.put(await this.client.image(this.productId, id));
      // Something else of it has changed: its order, say.
      if (draft.theirs === null) await this.saveText(id);
    }
  }

  /** Decide about an edit that met another one. @param {number} id @param {boolean} keepMine */
  async settle(id, keepMine) {
    const draft = this.drafts.get(id);
    if (!draft) return;
    if (!keepMine) return this.drop(id);
    Object.assign(draft, { base: draft.theirs ?? draft.base, theirs: null });
    await this.saveText(id);
  }

  /** @param {number} id */
  drop(id) {
    this.drafts.delete(id);
    this.onChange();
  }

  /** @param {Image} image */
  compare(image) {
    const draft = this.drafts.get(image.id);
    if (draft) draft.theirs = [draft.base, draft.text.trim()].includes(image.alt_text) ? null : image.alt_text;
  }

  /** @param {number} id */
  async makePrimary(id) {
    this.put(await this.client.change(this.productId, id, { is_primary: true }));
    await this.refresh();
  }

  // --- Removing --------------------------------------------------------------------------------------

  /**
   * Take pictures out of sight; they are removed when their time is over.
   *
   * @param {number[]} ids @param {(error: unknown) => void} onError
   */
  remove(ids, onError) {
    for (const id of ids) {
      this.selected.delete(id);
      const timer = setTimeout(() => this.removeNow(id).catch(onError), UNDO_MILLISECONDS);
      this.leaving.set(id, timer);
    }
    this.onChange();
  }

  /** How many `undo` would bring back. */
  get undoable() {
    return [...this.leaving.values()].filter(Boolean).length;
  }

  undo() {
    for (const [id, timer] of this.leaving) {
      if (!timer) continue;
      clearTimeout(timer);
      this.leaving.delete(id);
    }
    this.onChange();
  }

  /** Remove at once what waits for it: the page is left. */
  leave() {
    for (const [id, timer] of this.leaving) {
      clearTimeout(timer ?? 0);
      this.client.remove(this.productId, id, true).catch(() => {});
    }
    this.leaving.clear();
  }

  /** @param {number} id */
  async removeNow(id) {
    this.leaving.set(id, null);
    this.onChange();
    try {
      await this.client.remove(this.productId, id);
      for (const page of this.pages) {
        Object.assign(page, { results: page.results.filter((each) => each.id !== id), etag: "" });
      }
      this.count -= 1;
      // Without an answer it is gone all the same, and asked for again.
      await this.refresh().catch(() => {});
    } finally {
      this.leaving.delete(id);
      this.onChange();
    }
  }

  /** @param {number} id */
  toggle(id) {
    if (!this.selected.delete(id)) this.selected.add(id);
    this.onChange();
  }
}
