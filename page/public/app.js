/** The page's state, and what people do with it; the views show it. */
import { Catalogue } from "./catalogue.js";
import { Client, isStatus, NoAnswer, post } from "./client.js";
import { digest, named, prepare, Previews, whyLeftOut } from "./files.js";
import { Gallery } from "./gallery.js";
import { Ordering } from "./ordering.js";
import { Polling } from "./polling.js";
import { Queue } from "./queue.js";
import { isKey, notesIn, Session } from "./session.js";
import { texts } from "./texts.js";

const SEARCH_PAUSE_MILLISECONDS = 250;

export class App {
  /** JPEG first: then Safari hands HEIC over as JPEG. */
  accept = "image/jpeg,image/png,image/webp,image/gif,image/avif";
  /** @type {string | null} */
  keyProblem = null;
  isSigningIn = false;
  /** A key was accepted once, and no longer is. */
  isKeyRefused = false;
  /** @type {Gallery | null} */
  gallery = null;
  /** @type {Ordering | null} */
  ordering = null;
  /** @type {string | null} */
  title = null;
  isUnknown = false;
  /** An error that a person must know of. @type {string | null} */
  message = null;
  /** Read out by screen readers. */
  spoken = "";
  isDropping = false;
  /** @type {{id: number, over: number | null} | null} */
  dragged = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  searching;
  /** Whether something of the queue has no end yet. */
  isUnderWay = false;

  /** @param {{storage: Storage, onChange: () => void, focus: (...selectors: string[]) => void}} with_ */
  constructor({ storage, onChange, focus }) {
    this.onChange = onChange;
    this.focus = focus;
    this.session = new Session(storage);
    this.client = new Client({
      fetch: (url, options) => fetch(url, options),
      post,
      key: () => this.session.key,
      onUnauthorized: () => this.askForKey(),
    });
    this.catalogue = new Catalogue(this.client, onChange);
    this.previews = new Previews(onChange);
    this.queue = new Queue({
      client: this.client,
      onChange: () => this.watchQueue(),
      onArrived: () => this.polling.soon(),
      prepare,
      digest,
      notes: notesIn(storage),
    });
    this.polling = new Polling(
      () => this.look(),
      () => Boolean(this.gallery?.hasPending) || this.queue.items.some((item) => item.state === "checking"),
    );
  }

  get isSignedIn() {
    return this.session.key !== null;
  }

  get productId() {
    return this.gallery?.productId ?? null;
  }

  // --- The key ---------------------------------------------------------------------------------------

  /** @param {string} key */
  async signIn(key) {
    this.keyProblem = isKey(key) ? null : texts.signIn.malformed;
    if (this.keyProblem) return this.onChange();
    const before = this.session.key;
    this.isSigningIn = true;
    this.session.key = key;
    this.onChange();
    try {
      await this.client.products({ limit: 1 });
      this.session.keep(key);
      this.isKeyRefused = false;
      this.queue.unlock();
      this.open(location.hash);
    } catch (error) {
      this.session.key = before;
      this.keyProblem = keyProblem(error);
    } finally {
      this.isSigningIn = false;
      this.onChange();
    }
  }

  signOut() {
    this.gallery?.leave();
    this.session.forget();
    // Nothing of who was here stays in memory.
    location.reload();
  }

  askForKey() {
    this.queue.lock();
    if (this.isSigningIn) return;
    this.isKeyRefused = true;
    this.onChange();
  }

  // --- Where one is ----------------------------------------------------------------------------------

  /** Show what an address names. @param {string} hash */
  async open(hash) {
    if (!this.isSignedIn) return this.onChange();
    const productId = Number(/^#\/products\/([1-9]\d{0,15})$/.exec(hash)?.[1] ?? 0);
    if (productId && productId === this.productId) return this.polling.soon();
    this.gallery?.leave();
    this.message = null;
    if (productId) await this.openProduct(productId);
    else await this.openProducts();
  }

  async openProducts() {
    this.gallery = this.ordering = null;
    this.focus(".heading");
    await this.act(this.catalogue.search(this.catalogue.list.q));
  }

  /** @param {number} productId */
  async openProduct(productId) {
    const gallery = new Gallery(this.client, productId, () => this.onChange());
    this.gallery = gallery;
    this.ordering = new Ordering(this.client, gallery);
    this.isUnknown = false;
    this.title = null;
    this.focus(".heading");
    this.act(
      this.catalogue.titleOf(productId).then((title) => {
        if (this.gallery === gallery) this.title = title;
        this.onChange();
      }),
    );
    try {
      await gallery.more();
    } catch (error) {
      this.isUnknown = isStatus(error, 404);
      if (this.isUnknown) this.onChange();
      else this.tell(error);
    }
    this.polling.soon();
  }

  /** @param {string} q */
  search(q) {
    clearTimeout(this.searching);
    this.searching = setTimeout(() => this.act(this.catalogue.search(q)), SEARCH_PAUSE_MILLISECONDS);
  }

  /** Ask what is new; true if something is. */
  async look() {
    if (!this.isSignedIn || this.isKeyRefused || this.isUnknown) return false;
    const news = Boolean(await this.gallery?.refresh());
    const all = this.gallery?.all() ?? [];
    this.queue.seen(all);
    await this.queue.look(new Set(all.map((image) => image.id)));
    return news;
  }

  // --- Pictures --------------------------------------------------------------------------------------

  /** @param {File[]} files @param {number | null} [order]  a place that was theirs before */
  add(files, order = null) {
    if (this.productId === null || this.isUnknown || !files.length) return;
    const { pictures = [], hidden, noPicture } = Object.groupBy(files, (file) => whyLeftOut(file) ?? "pictures");
    const left = [noPicture && texts.add.noPicture(named(noPicture)), hidden && texts.add.hidden(named(hidden))];
    this.message = left.filter(Boolean).join(" ") || null;
    this.say(texts.add.added(pictures.length));
    this.queue.add(this.productId, pictures, order);
  }

  /** Say when all that was chosen has come to its end. */
  watchQueue() {
    const { items } = this.queue;
    const failed = items.filter((item) => item.state === "failed").length;
    const ready = items.filter((item) => item.state === "ready").length;
    const isUnderWay = ready + failed < items.length;
    if (this.isUnderWay && !isUnderWay && items.length) this.spoken = texts.queue.summary(ready, items.length, failed);
    this.isUnderWay = isUnderWay;
    this.onChange();
  }

  /** @param {import("./queue.js").Note} note @param {File} file */
  sendAgain(note, file) {
    this.dropNote(note);
    this.add([file], note.order);
  }

  /** @param {import("./queue.js").Note} note */
  dropNote(note) {
    this.act(this.queue.dropNote(note).then(() => this.polling.soon()));
  }

  /** @param {number[]} ids */
  remove(ids) {
    this.gallery?.remove(ids, (error) => this.tell(error));
    this.say(texts.gallery.removed(ids.length));
  }

  undo() {
    this.gallery?.undo();
    this.say(texts.gallery.undone);
  }

  selectNone() {
    this.gallery?.selected.clear();
    this.onChange();
  }

  // --- Their order -----------------------------------------------------------------------------------

  /** @param {number} id @param {number} to */
  async move(id, to) {
    const images = this.gallery?.images ?? [];
    if (!this.ordering || images[to]?.id === id || !images[to]) return;
    // The button that was pressed may be at its end now; the handle never is.
    const isHandle = document.activeElement?.classList.contains("handle");
    const pressed = isHandle ? null : document.activeElement?.getAttribute("title");
    this.ordering.show(id, to);
    const card = `[data-id="${id}"]`;
    this.focus(`${card} [title="${pressed}"]:enabled`, `${card} .handle`);
    this.say(texts.gallery.movedTo(to + 1, images.length));
    await this.act(this.ordering.save(id));
  }

  /** @param {number} id @param {number | null} over */
  dragOver(id, over) {
    this.dragged = over === null ? null : { id, over };
    this.onChange();
  }

  /** @param {number} id @param {number | null} over */
  drop(id, over) {
    this.dragged = null;
    this.move(id, this.gallery?.images.findIndex((image) => image.id === over) ?? -1);
  }

  /** Where the dragged card would stand: a class of the card that it is over. @param {number} id */
  dropMark(id) {
    if (this.dragged?.over !== id) return "";
    const ids = this.gallery?.images.map((image) => image.id) ?? [];
    return ids.indexOf(this.dragged.id) < ids.indexOf(id) ? "drop-after" : "drop-before";
  }

  // --- What people are told --------------------------------------------------------------------------

  /** @param {string} text */
  say(text) {
    this.spoken = text;
    this.onChange();
  }

  /** Wait for something, and tell of its error. @param {Promise<unknown>} work */
  async act(work) {
    try {
      await work;
    } catch (error) {
      this.tell(error);
    }
  }

  /** @param {unknown} error */
  tell(error) {
    // The form that asks for a key says it.
    if (isStatus(error, 401)) return;
    this.message = saying(error);
    this.onChange();
  }
}

/** @param {unknown} error */
function keyProblem(error) {
  if (isStatus(error, 401)) return texts.signIn.unknown;
  if (isStatus(error, 403)) return texts.signIn.customer;
  return saying(error);
}

/** @param {unknown} error */
const saying = (error) =>
  error instanceof NoAnswer ? texts.noAnswer : texts.problem(error instanceof Error ? error.message : String(error));
