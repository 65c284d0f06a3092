/**
 * The pictures of one product as the service has them, and what is about to change. Free of the document.
 *
 * @typedef {import("./client.js").Image} Image
 * @typedef {{text: string, base: string, theirs: string | null, state: "editing" | "saving"}} Draft
 *   `base`: the text that the edit began with. `theirs`: what somebody else wrote meanwhile.
 */
import { isStatus, NoAnswer } from "./client.js";

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
    /** To be removed when their time is over. @type {Map<number, ReturnType<typeof setTimeout>>} */
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
    /** @type {Map<number, Image>} */
    const byId = new Map();
    for (const image of this.pages.flatMap((page) => page.results)) {
      if (!byId.has(image.id)) byId.set(image.id, image);
    }
    return [...byId.values()];
  }

  get hasMore() {
    return this.isLoaded && this.all().length < this.count && (this.pages.at(-1)?.results.length ?? 0) === PAGE;
  }

  get hasPending() {
    return this.all().some((image) => image.status === "pending" || (image.status === "ready" && !image.renditions));
  }

  /** What the service holds, as far as it was loaded. */
  stored() {
    const all = this.all();
    const orders = new Map(all.map((image) => [image.id, image.order]));
    return { etag: this.pages[0]?.etag ?? null, ids: all.map((image) => image.id), orders };
  }

  /** @param {number[]} ids */
  arrange(ids) {
    this.arranged = ids;
    this.onChange();
  }

  /** Load the next page. */
  async more() {
    const loaded = await this.client.images(this.productId, { offset: this.pages.length * PAGE, limit: PAGE });
    if (loaded) this.take(this.pages.length, loaded);
    this.isLoaded = true;
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
    this.isLoaded = true;
    if (!this.held) {
      news ||= this.arranged !== null;
      this.arranged = null;
    }
    if (news) this.onChange();
    return news;
  }

  /** @param {number} index @param {{page: import("./client.js").Page, etag: string}} loaded */
  take(index, { page, etag }) {
    this.count = page.count;
    this.pages[index] = { etag, results: page.results };
    if (index && !page.results.length) this.pages.length = index;
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
    const base = this.drafts.get(id)?.base ?? this.find(id)?.alt_text ?? "";
    const theirs = this.drafts.get(id)?.theirs ?? null;
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
      this.put(await this.client.change(this.productId, id, { alt_text: draft.text }, image.etag));
      if (this.drafts.get(id) === draft) this.drop(id);
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
    if (!draft || image.alt_text === draft.base) return;
    if (image.alt_text !== draft.text.trim()) draft.theirs = image.alt_text;
    else if (draft.state === "editing") draft.theirs = null;
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

  undo() {
    for (const timer of this.leaving.values()) clearTimeout(timer);
    this.leaving.clear();
    this.onChange();
  }

  /** Remove at once what waits for it: the page is left. */
  leave() {
    for (const [id, timer] of this.leaving) {
      clearTimeout(timer);
      this.client.remove(this.productId, id, true).catch(() => {});
    }
    this.leaving.clear();
  }

  /** @param {number} id */
  async removeNow(id) {
    try {
      await this.client.remove(this.productId, id);
      for (const page of this.pages) {
        Object.assign(page, { results: page.results.filter((each) => each.id !== id), etag: "" });
      }
      this.count -= 1;
      await this.refresh().catch((error) => {
        if (!(error instanceof NoAnswer)) throw error;
      });
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
