/**
 * Brings one picture to the service: which way it takes, what follows an error, how long it waits. Free of the document.
 *
 * @typedef {import("./client.js").Image} Image
 * @typedef {import("./queue.js").Item} Item
 * @typedef {object} Needs
 * @property {import("./client.js").Client} client
 * @property {import("./session.js").Notes} notes
 * @property {() => void} onChange
 * @property {() => void} onArrived  the service has taken a picture
 * @property {(file: File) => Promise<File>} prepare  what is sent of it; throws a Refusal
 * @property {(file: File) => Promise<string | null>} digest  its SHA-256, if it can be told
 * @property {() => number} [now]
 * @property {(milliseconds: number) => Promise<void>} [sleep]
 */
import { isStatus, NoAnswer, Problem } from "./client.js";

/** Largest file of a direct upload in bytes (the template's MaxDirectUploadBytes, at its default). */
export const DIRECT_BYTES = 4_500_000;
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

/** @param {number} milliseconds @returns {Promise<void>} */
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A form whose time is over. */
class Expired extends Error {}

export class Delivery {
  /** No key: what runs comes to its end or waits. */
  isLocked = false;
  /** What ends the pauses without a network, those that are over too. @type {(() => void)[]} */
  sleepers = [];

  /** @param {Needs & {orderOf: (item: Item) => Promise<number>}} with_  `orderOf`: where it is to stand */
  constructor({ client, notes, onChange, onArrived, prepare, digest, orderOf, now = Date.now, sleep = wait }) {
    this.client = client;
    this.onChange = onChange;
    this.onArrived = onArrived;
    this.prepare = prepare;
    this.digest = digest;
    this.now = now;
    this.sleep = sleep;
    this.notes = notes;
    this.orderOf = orderOf;
  }

  /** Bring one picture to an end: taken, or failed. @param {Item} item @param {() => boolean} isWanted */
  async bring(item, isWanted) {
    let silent = 0;
    while (isWanted()) {
      this.set(item, { state: "sending", pause: null, percent: 0 });
      try {
        const image = await this.attempt(item);
        this.set(item, { state: "checking", imageId: image.id, percent: 100 });
        this.onArrived();
        return;
      } catch (error) {
        silent = error instanceof NoAnswer ? silent + 1 : 0;
        if (!(await this.recover(item, error, silent))) return;
      }
    }
  }

  /** @param {Item} item @returns {Promise<{id: number} & Image>} */
  async attempt(item) {
    const file = await this.prepare(/** @type {File} */ (item.file));
    if (!file.size) throw new Refusal("empty");
    item.file = file;
    Object.assign(item, { name: file.name, size: file.size });
    // Asked once, before anything was sent: what is there then is not this try's.
    const sha256 = item.isNew ? null : await this.digest(file);
    if (sha256 && (await this.client.isThere(item.productId, sha256))) throw new Refusal("there");
    item.isNew = true;
    item.order ??= await this.orderOf(item);
    item.byForm ||= file.size > DIRECT_BYTES;
    if (item.byForm) return this.byForm(item, file, item.order);
    const fields = { order: String(item.order) };
    return this.client.send(item.productId, file, fields, item.key, this.watching(item));
  }

  /** @param {Item} item @param {File} file @param {number} order @returns {Promise<Image>} */
  async byForm(item, file, order) {
    const there = await this.arrived(item);
    if (there) return there;
    const type = file.type ? { content_type: file.type } : {};
    const announced = { name: file.name, size: file.size, order, ...type };
    const image = await this.client.reserve(item.productId, announced, item.key);
    item.imageId = image.id;
    this.notes.add({ productId: item.productId, imageId: image.id, name: file.name, order });
    // Issued again for the same key, it expires when it did at first.
    if (Date.parse(image.upload_expires_at ?? "") - this.now() < SOON_EXPIRED_MILLISECONDS) throw new Expired();
    try {
      await this.client.sendForm(image.upload, file, this.watching(item));
    } catch (error) {
      if (!isStatus(error, 403)) throw error;
      // S3 says so of a form whose time is over, in XML. What it was for may have come before.
      if (!(await this.arrived(item))) throw new Expired();
    }
    this.notes.remove(image.id);
    return image;
  }

  /**
   * What was reserved, once its bytes are there: the answer to its form may have been lost.
   *
   * @param {Item} item @returns {Promise<Image | null>}
   */
  async arrived({ productId, imageId }) {
    if (!imageId) return null;
    const image = await this.client.image(productId, imageId);
    if (image.status === "pending") return null;
    this.notes.remove(imageId);
    return image;
  }

  /**
   * Decide what follows an error; true: the same once more.
   *
   * @param {Item} item @param {unknown} error @param {number} silent  times in a row without an answer
   */
  async recover(item, error, silent) {
    if (error instanceof Refusal) return this.fail(item, "", error.code);
    // Or nothing came in time, and the service has let go of it.
    if (error instanceof Expired || (item.imageId && isStatus(error, 404))) return this.renew(item);
    if (silent) return this.pause(item, "offline", Math.min(30, 2 ** silent));
    if (!(error instanceof Problem)) return this.fail(item, String(error), "");
    // Locked by now, unless its key was the one before.
    if (error.status === 401 && this.isLocked) {
      this.set(item, { state: "waiting" });
      return false;
    }
    if (error.status === 413 && !item.byForm) {
      item.byForm = true;
      item.key = crypto.randomUUID();
      return true;
    }
    const mayPass = error.status >= 500 || [401, 429].includes(error.status) || error.code === "request_in_progress";
    item.tries += 1;
    const seconds = error.retryAfter ?? Math.min(30, 2 ** item.tries);
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
    const pauses = [this.sleep(seconds * 1000)];
    if (pause === "offline") pauses.push(new Promise((wake) => this.sleepers.push(wake)));
    await Promise.race(pauses);
    if (!this.isLocked) return true;
    this.set(item, { state: "waiting" });
    return false;
  }

  /** Go on at once with what pauses: the network is back. */
  wake() {
    for (const wake of this.sleepers.splice(0)) wake();
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

  /** @param {Item} item @param {string} detail @param {string} code @returns {false} */
  fail(item, detail, code) {
    this.set(item, { state: "failed", pause: null, failure: { code, detail } });
    return false;
  }

  /** What was reserved, and is not wanted any more. @param {number} productId @param {number} imageId */
  forget(productId, imageId) {
    this.notes.remove(imageId);
    // If it cannot be removed now, it shows in the gallery as one that never came.
    this.client.remove(productId, imageId).catch(() => {});
  }

  /** @param {Item} item @param {Partial<Item>} values */
  set(item, values) {
    Object.assign(item, values);
    this.onChange();
  }
}
