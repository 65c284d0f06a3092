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
 * @property {number} place  among the files that are chosen for the product, from 0
 * @property {number | null} order  its place in the gallery, the same for every try
 * @property {State} state
 * @property {number} percent  of the bytes, 0 to 100, rounded down
 * @property {"offline" | "busy" | null} pause
 * @property {number} until  milliseconds since the epoch, of a pause
 * @property {{code: string, detail: string} | null} failure  `detail` is the service's sentence, in English
 * @property {string} key  the idempotency key of this try
 * @property {number | null} imageId
 * @property {number} tries  answers in a row that promised nothing
 * @property {boolean} byForm
 * @typedef {{productId: number, imageId: number, name: string, order: number}} Note  reserved, and not known to have been sent
 */
import { NoAnswer, Problem } from "./client.js";

/** Largest file of a direct upload in bytes (the template's MaxDirectUploadBytes, at its default). */
export const DIRECT_BYTES = 4_500_000;
const AT_ONCE = 3;
/** A pause that is longer is no pause to a person. */
const LONGEST_PAUSE_SECONDS = 600;
const MOST_TRIES = 6;
const SOON_EXPIRED_MILLISECONDS = 5_000;

/** Why a file is not sent at all; the code stands in the texts. */
export class Refusal extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export class Queue {
  /**
   * @param {object} with_
   * @param {Client} with_.client
   * @param {() => void} with_.onChange
   * @param {(item: Item, image: Image) => void} [with_.onArrived]  the service has taken it
   * @param {(file: File) => Promise<File>} [with_.prepare]  what is sent of it; throws a Refusal
   * @param {() => number} [with_.now]
   * @param {(milliseconds: number) => Promise<void>} [with_.sleep]
   * @param {{load: () => Note[], save: (notes: Note[]) => void}} [with_.notes]
   */
  constructor({ client, onChange, onArrived, prepare, now, sleep, notes }) {
    this.client = client;
    this.onChange = onChange;
    this.onArrived = onArrived ?? (() => {});
    this.prepare = prepare ?? (async (file) => file);
    this.now = now ?? Date.now;
    this.sleep = sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.notes = notes ?? { load: () => [], save: () => {} };
    /** @type {Item[]} */
    this.items = [];
    /** Reserved before this page was loaded. @type {Note[]} */
    this.left = this.notes.load();
    this.running = 0;
    this.locked = false;
    this.next = 1;
    /** @type {Set<() => void>} */
    this.sleepers = new Set();
    /** Where the pictures of a product begin that are added now. @type {Map<number, Promise<number>>} */
    this.bases = new Map();
    /** @type {Map<number, number>} */
    this.places = new Map();
  }

  /**
   * Take files in, in the order in which they stand.
   *
   * @param {number} productId @param {File[]} files @param {number | null} [order]  known from before
   */
  add(productId, files, order = null) {
    const open = this.items.filter((item) => item.productId === productId && item.order === null);
    // Nothing is under way whose order hangs on it: what others added meanwhile counts.
    if (!open.length) this.bases.delete(productId);
    let place = open.length ? (this.places.get(productId) ?? 0) : 0;
    for (const file of files) {
      this.items.push({
        id: this.next++,
        productId,
        name: file.name,
        size: file.size,
        file,
        place: place++,
        order,
        ...fresh(),
      });
    }
    this.places.set(productId, place);
    this.changed();
    this.pump();
  }

  /** Whether something would be lost if the page went now. */
  get isBusy() {
    return this.items.some((item) => ["waiting", "sending", "sent", "pausing"].includes(item.state));
  }

  /** Try again what failed: one, or all of a product. @param {(item: Item) => boolean} chosen */
  retry(chosen) {
    for (const item of this.items.filter((each) => each.state === "failed" && each.file && chosen(each))) {
      const before = item.imageId;
      Object.assign(item, fresh());
      // What the service holds of the try before has failed for good.
      if (before) this.forget(item.productId, before);
    }
    this.changed();
    this.pump();
  }

  /** Let go of what waits, failed, or is done. @param {(item: Item) => boolean} chosen */
  dismiss(chosen) {
    const gone = (/** @type {Item} */ item) =>
      ["waiting", "failed", "ready"].includes(item.state) && chosen(item);
    this.items = this.items.filter((item) => !gone(item));
    this.changed();
  }

  /** No key: what runs comes to its end or waits for `unlock`. */
  lock() {
    this.locked = true;
  }

  unlock() {
    this.locked = false;
    this.wake();
    this.pump();
  }

  /** Go on at once with what pauses: the network is back. */
  wake() {
    for (const wake of [...this.sleepers]) wake();
  }

  /** Learn what became of pictures, from whoever has asked. @param {Image[]} images */
  seen(images) {
    const byId = new Map(images.map((image) => [image.id, image]));
    let news = false;
    for (const item of this.items) {
      const image = item.imageId && item.state === "checking" ? byId.get(item.imageId) : undefined;
      if (!image || image.status === "pending") continue;
      news = true;
      if (image.status === "ready") Object.assign(item, { state: "ready", file: null });
      else this.fail(item, image.error ?? "", "");
    }
    if (news) this.changed();
  }

  /** Ask for each picture that is being checked and not in `known`. @param {Set<number>} known */
  async look(known) {
    const open = this.items.filter((item) => item.state === "checking" && !known.has(item.imageId ?? 0));
    for (const item of open) {
      try {
        this.seen([await this.client.image(item.productId, item.imageId ?? 0)]);
      } catch (error) {
        if (error instanceof Problem && error.status === 404) this.dismissChecked(item);
      }
    }
  }

  /** @param {Note} note */
  forgetNote(note) {
    this.left = this.left.filter((each) => each !== note);
    this.unnote(note.imageId);
    this.changed();
  }

  /** @param {Item} item */
  dismissChecked(item) {
    this.items = this.items.filter((each) => each !== item);
    this.changed();
  }

  pump() {
    while (this.running < AT_ONCE && !this.locked) {
      const item = this.items.find((each) => each.state === "waiting");
      if (!item) return;
      this.running += 1;
      item.state = "sending";
      this.deliver(item).finally(() => {
        this.running -= 1;
        this.changed();
        this.pump();
      });
    }
  }

  /** Bring one picture to an end: taken, or failed. @param {Item} item */
  async deliver(item) {
    while (this.items.includes(item)) {
      this.set(item, { state: "sending", pause: null, percent: 0 });
      try {
        const image = await this.attempt(item);
        this.set(item, { state: "checking", imageId: image.id, percent: 100 });
        this.onArrived(item, image);
        return;
      } catch (error) {
        if (!(await this.recover(item, error))) return;
      }
    }
  }

  /** @param {Item} item @returns {Promise<{id: number} & Image>} */
  async attempt(item) {
    const file = await this.prepare(/** @type {File} */ (item.file));
    if (!file.size) throw new Refusal("empty");
    item.file = file;
    Object.assign(item, { name: file.name, size: file.size });
    item.order ??= (await this.base(item.productId)) + item.place;
    if (item.byForm || file.size > DIRECT_BYTES) return this.byForm(item, file, item.order);
    const fields = { order: String(item.order) };
    return this.client.send(item.productId, file, fields, item.key, this.watching(item));
  }

  /** @param {Item} item @param {File} file @param {number} order @returns {Promise<Image>} */
  async byForm(item, file, order) {
    const type = file.type ? { content_type: file.type } : {};
    const announced = { name: file.name, size: file.size, order, ...type };
    const image = await this.client.reserve(item.productId, announced, item.key);
    item.imageId = image.id;
    this.note({ productId: item.productId, imageId: image.id, name: file.name, order });
    // Issued again for the same key, it expires when it did at first.
    if (Date.parse(image.upload_expires_at ?? "") - this.now() < SOON_EXPIRED_MILLISECONDS) {
      throw new Expired();
    }
    if (item.tries && (await this.client.image(item.productId, image.id)).status !== "pending") {
      this.unnote(image.id);
      return image;
    }
    try {
      await this.client.sendForm(image.upload, file, this.watching(item));
    } catch (error) {
      // S3 says so of a form whose time is over, in XML.
      if (error instanceof Problem && error.status === 403) throw new Expired();
      throw error;
    }
    this.unnote(image.id);
    return image;
  }

  /** Decide what follows an error; true: the same once more. @param {Item} item @param {unknown} error */
  async recover(item, error) {
    if (error instanceof Refusal) return this.fail(item, "", error.code);
    if (error instanceof Expired) return this.renew(item);
    if (error instanceof NoAnswer) {
      item.tries += 1;
      return this.pause(item, "offline", Math.min(30, 2 ** item.tries));
    }
    if (!(error instanceof Problem)) return this.fail(item, String(error), "");
    if (error.status === 401) {
      this.lock();
      this.set(item, { state: "waiting" });
      return false;
    }
    if (error.status === 413 && !item.byForm && item.size <= DIRECT_BYTES) {
      item.byForm = true;
      item.key = crypto.randomUUID();
      return true;
    }
    const mayPass = error.status >= 500 || error.status === 429 || error.code === "request_in_progress";
    const seconds = error.retryAfter ?? Math.min(30, 2 ** (item.tries + 1));
    item.tries += 1;
    if (!mayPass || item.tries > MOST_TRIES || seconds > LONGEST_PAUSE_SECONDS) {
      return this.fail(item, error.message, error.code);
    }
    return this.pause(item, "busy", seconds);
  }

  /** @param {Item} item */
  async renew(item) {
    if (item.imageId) this.forget(item.productId, item.imageId);
    Object.assign(item, { key: crypto.randomUUID(), imageId: null });
    item.tries += 1;
    return item.tries <= MOST_TRIES || this.fail(item, "", "expired");
  }

  /** @param {Item} item @param {"offline" | "busy"} pause @param {number} seconds */
  async pause(item, pause, seconds) {
    this.set(item, { state: "pausing", pause, until: this.now() + seconds * 1000 });
    /** @type {() => void} */
    let wake = () => {};
    const woken = new Promise((/** @type {(value: void) => void} */ resolve) => (wake = resolve));
    if (pause === "offline") this.sleepers.add(wake);
    await Promise.race([this.sleep(seconds * 1000), woken]);
    this.sleepers.delete(wake);
    if (!this.locked) return true;
    this.set(item, { state: "waiting" });
    return false;
  }

  /** @param {Item} item @param {string} detail @param {string} code @returns {false} */
  fail(item, detail, code) {
    this.set(item, { state: "failed", pause: null, failure: { code, detail } });
    return false;
  }

  /** What was reserved, and is not wanted any more. @param {number} productId @param {number} imageId */
  forget(productId, imageId) {
    this.unnote(imageId);
    // If it cannot be removed now, it shows in the gallery as one that never came.
    this.client.remove(productId, imageId).catch(() => {});
  }

  /** @param {number} productId */
  base(productId) {
    let base = this.bases.get(productId);
    if (!base) {
      base = this.client.lastOrder(productId).then((last) => (last === null ? 0 : last + 1));
      // Asked again after an error, and when all that was chosen together is done.
      base.catch(() => this.bases.delete(productId));
      this.bases.set(productId, base);
    }
    return base;
  }

  /** @param {Item} item */
  watching(item) {
    return {
      onProgress: (/** @type {number} */ share) => {
        const percent = Math.floor(share * 100);
        if (percent > item.percent) this.set(item, { percent });
      },
      onSent: () => this.set(item, { state: "sent", percent: 100 }),
    };
  }

  /** @param {Note} note */
  note(note) {
    this.notes.save([...this.notes.load().filter((each) => each.imageId !== note.imageId), note]);
  }

  /** @param {number} imageId */
  unnote(imageId) {
    this.notes.save(this.notes.load().filter((each) => each.imageId !== imageId));
  }

  /** @param {Item} item @param {Partial<Item>} values */
  set(item, values) {
    Object.assign(item, values);
    this.changed();
  }

  changed() {
    this.onChange();
  }
}

/** A form whose time is over. */
class Expired extends Error {}

/** @returns {Pick<Item, "state" | "percent" | "pause" | "until" | "failure" | "key" | "imageId" | "tries" | "byForm">} */
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
  };
}
