/**
 * The pictures that are on their way: what waits, what is sent, what became of it. Free of the document.
 *
 * @typedef {import("./client.js").Client} Client
 * @typedef {import("./client.js").Image} Image
 * @typedef {"waiting" | "sending" | "sent" | "pausing" | "checking" | "ready" | "failed"} State
 *   `sent`: all bytes have left, no answer yet. `pausing`: it goes on by itself (`pause` says why).
 * @typedef {object} Item
 * @property {number} id
 * @property {number} productId
 * @property {string} name
 * @property {number} size
 * @property {File | null} file  let go of once the picture is ready
 * @property {number | null} order  its place in the gallery, once it has one, the same for every try
 * @property {State} state
 * @property {number} percent  of the bytes, 0 to 100, rounded down
 * @property {"offline" | "busy" | null} pause
 * @property {number} until  milliseconds since the epoch, of a pause
 * @property {{code: string, detail: string} | null} failure  `detail` is the service's sentence, in English
 * @property {string} key  the idempotency key of this try
 * @property {number | null} imageId
 * @property {number} tries  answers in a row that promised nothing
 * @property {boolean} byForm
 * @property {boolean} isNew  no picture of these bytes was there, or it is wanted twice
 * @typedef {{productId: number, imageId: number, name: string, order: number}} Note  reserved, and not known to have been sent
 */
import { isStatus } from "./client.js";
import { Delivery } from "./delivery.js";

const AT_ONCE = 3;

export class Queue {
  /** @param {import("./delivery.js").Needs} with_ */
  constructor(with_) {
    this.client = with_.client;
    this.notes = with_.notes;
    this.changed = with_.onChange;
    this.delivery = new Delivery({ ...with_, orderOf: (item) => this.orderOf(item) });
    /** @type {Item[]} */
    this.items = [];
    /** Reserved before this page was loaded. @type {Note[]} */
    this.left = this.notes.load();
    this.running = 0;
    this.next = 1;
    /** Which order a product's last picture has, while it is asked for. @type {Record<number, Promise<number | null>>} */
    this.lasts = {};
  }

  /**
   * Take files in, in the order in which they stand.
   *
   * @param {number} productId @param {File[]} files @param {number | null} [order]  known from before
   */
  add(productId, files, order = null) {
    for (const file of files) {
      this.items.push({
        id: this.next++,
        productId,
        name: file.name,
        size: file.size,
        file,
        order,
        ...fresh(),
      });
    }
    this.changed();
    this.pump();
  }

  /** Whether something would be lost if the page went now. */
  get isBusy() {
    return this.items.some((item) => ["waiting", "sending", "sent", "pausing"].includes(item.state));
  }

  /** Try again what failed; what is there already is sent then. @param {(item: Item) => boolean} chosen */
  retry(chosen) {
    for (const item of this.items.filter((each) => each.state === "failed" && each.file && chosen(each))) {
      const before = item.imageId;
      Object.assign(item, fresh(), { isNew: isTwice(item) });
      // What the service holds of the try before has failed for good.
      if (before) this.delivery.forget(item.productId, before);
    }
    this.changed();
    this.pump();
  }

  /** Let go of what waits, failed, or is done. @param {(item: Item) => boolean} chosen */
  dismiss(chosen) {
    this.drop((item) => ["waiting", "failed", "ready"].includes(item.state) && chosen(item));
  }

  /** @param {(item: Item) => boolean} chosen */
  drop(chosen) {
    this.items = this.items.filter((item) => !chosen(item));
    this.changed();
  }

  /** No key: what runs comes to its end or waits for `unlock`. */
  lock() {
    this.delivery.isLocked = true;
  }

  unlock() {
    this.delivery.isLocked = false;
    this.delivery.wake();
    this.pump();
  }

  /** Learn what became of pictures, from whoever has asked. @param {Image[]} images */
  seen(images) {
    for (const { id, status, error } of images) {
      if (status === "pending") continue;
      for (const note of this.left) if (note.imageId === id) this.forgetNote(note);
      for (const item of this.items) {
        if (item.imageId !== id || item.state !== "checking") continue;
        if (status === "ready") this.delivery.set(item, { state: "ready", file: null });
        else this.delivery.fail(item, error ?? "", "");
      }
    }
  }

  /** Ask for each picture that is being checked and not in `known`. @param {Set<number>} known */
  async look(known) {
    const open = this.items.filter((item) => item.state === "checking" && !known.has(item.imageId ?? 0));
    for (const item of open) await this.lookAt(item);
  }

  /** @param {Item | Note} one */
  async lookAt(one) {
    try {
      this.seen([await this.client.image(one.productId, one.imageId ?? 0)]);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      this.drop((item) => item === one);
    }
  }

  /** Let go of a note, and of what was reserved unless that has arrived after all. @param {Note} note */
  async dropNote(note) {
    await this.lookAt(note);
    if (!this.left.includes(note)) return;
    await this.client.remove(note.productId, note.imageId);
    this.forgetNote(note);
  }

  /** @param {Note} note */
  forgetNote(note) {
    this.left = this.left.filter((each) => each !== note);
    this.notes.remove(note.imageId);
    this.changed();
  }

  pump() {
    while (this.running < AT_ONCE && !this.delivery.isLocked) {
      const item = this.items.find((each) => each.state === "waiting");
      if (!item) return;
      this.running += 1;
      item.state = "sending";
      const isWanted = () => this.items.includes(item);
      this.delivery.bring(item, isWanted).finally(() => {
        this.running -= 1;
        this.changed();
        this.pump();
      });
    }
  }

  /**
   * Give each picture of a product its order that has none, as they were chosen, behind those that are there or on
   * their way. One that failed before gets it when it is tried again.
   *
   * @param {Item} item @returns {Promise<number>}  its own
   */
  async orderOf(item) {
    const { productId } = item;
    this.lasts[productId] ??= this.client.lastOrder(productId);
    // Asked anew the next time: what others added meanwhile counts.
    const last = await this.lasts[productId].finally(() => delete this.lasts[productId]);
    let order = last ?? -1;
    const all = this.items.filter((each) => each.productId === productId && each.state !== "failed");
    for (const each of all) order = Math.max(order, each.order ?? order);
    for (const each of all) each.order ??= ++order;
    return /** @type {number} */ (item.order);
  }
}

/** Whether a picture was not sent because its bytes are there already. @param {Item} item */
export const isTwice = (item) => item.state === "failed" && item.failure?.code === "there";

/** @returns {Pick<Item, "state" | "percent" | "pause" | "until" | "failure" | "key" | "imageId" | "tries" | "byForm" | "isNew">} */
function fresh() {
  return {
    state: "waiting",
    percent: 0,
    pause: null,
    until: 0,
    failure: null,
    key: crypto.randomUUID(),
    imageId: null,
    tries: 0,
    byForm: false,
    isNew: false,
  };
}
