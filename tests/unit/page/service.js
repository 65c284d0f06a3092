/** A service in memory with the API's promises that the page depends on: one picture for each idempotency key. */
import { NoAnswer, Problem } from "../../../page/public/client.js";

/** @param {number} status */
export function problem(status, { code = "", detail = "", retryAfter = null } = {}) {
  const header = (/** @type {string} */ name) => (name === "Retry-After" ? retryAfter : null);
  return new Problem({ status, header, text: JSON.stringify({ code, detail }) });
}

export class Service {
  constructor() {
    this.images = [];
    this.byKey = new Map();
    this.next = 100;
    this.last = null;
    this.now = 0;
    /** What the next calls run into, in turn: an error before, or "lost" after the work. */
    this.faults = [];
    this.removed = [];
    this.calls = [];
    /** Told of the present key's refusal before the error comes. */
    this.onUnauthorized = () => {};
    /** Held back until released. */
    this.held = null;
  }

  async isThere(productId, sha256) {
    return this.answer(() => this.images.some((image) => image.product_id === productId && image.sha256 === sha256));
  }

  async lastOrder() {
    return this.last;
  }

  async send(productId, file, fields, key, { onProgress, onSent }) {
    this.calls.push(["send", file.name, key]);
    onProgress(0.5);
    onProgress(1);
    onSent();
    if (this.held) await this.held;
    return this.answer(() => this.taken(key, { product_id: productId, name: file.name, order: Number(fields.order) }));
  }

  async reserve(productId, announced, key) {
    this.calls.push(["reserve", announced.name, key]);
    return this.answer(() => {
      const image = this.taken(key, { product_id: productId, ...announced });
      image.upload_expires_at ??= new Date(this.now + 900_000).toISOString();
      return { ...image, upload: { url: "https://bucket", fields: { key: String(image.id) } } };
    });
  }

  async sendForm(form, file, { onProgress, onSent }) {
    this.calls.push(["sendForm", file.name]);
    onProgress(1);
    onSent();
    return this.answer(() => {
      this.images.find((image) => String(image.id) === form.fields.key).bytes = file.size;
    });
  }

  async image(_productId, id) {
    const found = this.images.find((image) => image.id === id);
    if (!found) throw problem(404);
    return found;
  }

  async remove(_productId, id) {
    this.removed.push(id);
    this.images = this.images.filter((image) => image.id !== id);
  }

  taken(key, image) {
    if (!this.byKey.has(key)) {
      this.byKey.set(key, { id: this.next++, status: "pending", ...image });
      this.images.push(this.byKey.get(key));
    }
    return this.byKey.get(key);
  }

  answer(work) {
    const fault = this.faults.shift();
    if (fault instanceof Problem && fault.status === 401) this.onUnauthorized();
    if (fault && fault !== "lost") throw fault;
    const done = work();
    if (fault === "lost") throw new NoAnswer();
    return done;
  }
}
