/**
 * Speaks to the API. Free of the document: what sends is handed in.
 *
 * @typedef {{width: number, height: number, type: string, f: string, size: number}} Rendition
 * @typedef {{thumbhash: string, color: string} | null} Placeholder
 * @typedef {object} Image
 * @property {number} id
 * @property {number} product_id
 * @property {string} name
 * @property {string} alt_text
 * @property {boolean} is_primary
 * @property {number} order
 * @property {"pending" | "ready" | "failed"} status
 * @property {string | null} error
 * @property {string} created_at
 * @property {string} human_readable_size
 * @property {number | null} width
 * @property {number | null} height
 * @property {string | null} upload_expires_at
 * @property {Rendition[] | null} [renditions]
 * @property {Placeholder} [placeholder]
 * @property {string} etag
 * @typedef {{count: number, next: string | null, results: Image[]}} Page
 * @typedef {object} Product
 * @property {number} product_id
 * @property {string | null} title
 * @property {number} count
 * @property {{id: number, alt_text: string, thumbnail: Rendition | null, placeholder: Placeholder} | null} primary
 * @typedef {{url: string, fields: Record<string, string>}} Form
 * @typedef {typeof globalThis.fetch} Fetch
 * @typedef {{status: number, header: (name: string) => string | null, text: string}} Answer
 * @typedef {object} Sending
 * @property {Record<string, string>} headers
 * @property {FormData} body
 * @property {(share: number) => void} onProgress  share of the bytes that have left, 0 to 1
 * @property {() => void} onSent  all bytes have left, no answer has come yet
 * @typedef {(url: string, sending: Sending) => Promise<Answer>} Post  rejects with NoAnswer
 */

const SILENT_MILLISECONDS = 60_000;

/** No answer came: the network is gone, or the answer was lost. */
export class NoAnswer extends Error {}

/** An answer that is an error, in the API's own words. */
export class Problem extends Error {
  /** @param {Answer} answer */
  constructor(answer) {
    const body = read(answer.text);
    // S3 speaks XML.
    super(body.detail ?? /<Message>([^<]*)/.exec(answer.text)?.[1] ?? answer.text.slice(0, 300));
    this.status = answer.status;
    /** @type {string} */
    this.code = body.code ?? "";
    /** @type {number | null} seconds to wait, if the answer says so */
    this.retryAfter = Number(answer.header("Retry-After")) || null;
  }
}

/** Whether an error is an answer of this status. @param {unknown} error @param {number} status */
export const isStatus = (error, status) => error instanceof Problem && error.status === status;

/** @param {string} text @returns {Record<string, any>} */
function read(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

export class Client {
  /**
   * @param {object} with_
   * @param {Fetch} with_.fetch
   * @param {Post} with_.post
   * @param {() => string | null} with_.key
   * @param {() => void} with_.onUnauthorized  the key is none, or no longer one
   */
  constructor({ fetch, post, key, onUnauthorized }) {
    this.fetch = fetch;
    this.post = post;
    this.key = key;
    this.onUnauthorized = onUnauthorized;
  }

  /**
   * @param {{limit?: number, after?: string | null, q?: string}} query
   * @returns {Promise<{results: Product[], next: string | null}>} `next`: behind which the next page begins
   */
  async products({ limit = 50, after = null, q = "" }) {
    const query = new URLSearchParams({ limit: String(limit), ...(after && { after }), ...(q && { q }) });
    const { results, next } = (await this.ask("GET", `/api/products?${query}`)).body;
    return { results, next: next && new URL(next, "https://any").searchParams.get("after") };
  }

  /**
   * One page of a gallery; null if it is still the one with this tag.
   *
   * @param {number} productId
   * @param {{offset?: number, limit?: number, etag?: string | null}} query
   * @returns {Promise<{page: Page, etag: string} | null>}
   */
  async images(productId, { offset = 0, limit = 100, etag = null }) {
    const url = `${images(productId)}?limit=${limit}&offset=${offset}`;
    const answer = await this.ask("GET", url, { headers: etag ? { "If-None-Match": etag } : {} });
    return answer.status === 304 ? null : { page: answer.body, etag: answer.etag };
  }

  /** @param {number} productId @param {number} id @returns {Promise<Image>} */
  async image(productId, id) {
    const answer = await this.ask("GET", `${images(productId)}/${id}`);
    return { ...answer.body, etag: answer.etag };
  }

  /**
   * Whether a picture whose file had this SHA-256 is ready; not of galleries that are too large to look.
   *
   * @param {number} productId @param {string} sha256  hexadecimal
   * @returns {Promise<boolean>}
   */
  async isThere(productId, sha256) {
    try {
      return (await this.ask("GET", `${images(productId)}?limit=1&status=ready&sha256=${sha256}`)).body.count > 0;
    } catch (error) {
      if (!isStatus(error, 400)) throw error;
      return false;
    }
  }

  /** Which `order` the last picture has, or null. @param {number} productId @returns {Promise<number | null>} */
  async lastOrder(productId) {
    const first = await this.images(productId, { limit: 1 });
    const count = first?.page.count ?? 0;
    if (count < 2) return first?.page.results[0]?.order ?? null;
    const last = await this.images(productId, { limit: 1, offset: count - 1 });
    return last?.page.results[0]?.order ?? null;
  }

  /**
   * @param {number} productId @param {number} id
   * @param {{alt_text?: string, is_primary?: boolean, order?: number}} fields
   * @param {string | null} [etag]  what was seen; another state is a Problem of status 412
   * @returns {Promise<Image>}
   */
  async change(productId, id, fields, etag = null) {
    const answer = await this.ask("PATCH", `${images(productId)}/${id}`, {
      headers: etag ? { "If-Match": etag } : {},
      json: fields,
    });
    return { ...answer.body, etag: answer.etag };
  }

  /**
   * @param {number} productId @param {number[]} ids @param {string | null} etag
   */
  async reorder(productId, ids, etag) {
    await this.ask("PUT", `${images(productId)}/order`, {
      headers: etag ? { "If-Match": etag } : {},
      json: { image_ids: ids },
    });
  }

  /** @param {number} productId @param {number} id @param {boolean} [leaving]  the page goes meanwhile */
  async remove(productId, id, leaving = false) {
    try {
      await this.ask("DELETE", `${images(productId)}/${id}`, { keepalive: leaving });
    } catch (error) {
      // Somebody was quicker; it is gone.
      if (!isStatus(error, 404)) throw error;
    }
  }

  /**
   * @param {number} productId
   * @param {{name: string, size: number, content_type?: string, order?: number}} announced
   * @param {string} idempotencyKey
   * @returns {Promise<Image & {upload: Form}>}
   */
  async reserve(productId, announced, idempotencyKey) {
    const headers = { "Idempotency-Key": idempotencyKey };
    return (await this.ask("POST", `${images(productId)}/uploads`, { headers, json: announced })).body;
  }

  /**
   * Send a picture of up to 4.5 MB.
   *
   * @param {number} productId @param {File} file @param {Record<string, string>} fields
   * @param {string} idempotencyKey
   * @param {Pick<Sending, "onProgress" | "onSent">} watching
   * @returns {Promise<Image>}
   */
  async send(productId, file, fields, idempotencyKey, watching) {
    const headers = { ...this.authorization(), "Idempotency-Key": idempotencyKey };
    const body = form(fields, "image", file);
    return JSON.parse(this.checked(await this.post(images(productId), { ...watching, headers, body }), headers).text);
  }

  /**
   * Send a picture to the bucket itself.
   *
   * @param {Form} to @param {File} file
   * @param {Pick<Sending, "onProgress" | "onSent">} watching
   */
  async sendForm(to, file, watching) {
    const answer = await this.post(to.url, { ...watching, headers: {}, body: form(to.fields, "file", file) });
    if (answer.status >= 300) throw new Problem(answer);
  }

  /**
   * @param {string} method @param {string} url
   * @param {{headers?: Record<string, string>, json?: object, keepalive?: boolean}} [with_]
   * @returns {Promise<{status: number, etag: string, body: any}>}
   */
  async ask(method, url, { headers = {}, json, keepalive = false } = {}) {
    const sent = { ...this.authorization(), ...headers, ...(json && { "Content-Type": "application/json" }) };
    /** @type {Response} */
    let response;
    let text;
    try {
      response = await this.fetch(url, {
        method,
        keepalive,
        // The page holds what it was told and compares tags itself.
        cache: "no-store",
        headers: sent,
        body: json && JSON.stringify(json),
      });
      text = await response.text();
    } catch (error) {
      throw new NoAnswer(String(error));
    }
    const header = (/** @type {string} */ name) => response.headers.get(name);
    this.checked({ status: response.status, header, text }, sent);
    return { status: response.status, etag: header("ETag") ?? "", body: text && JSON.parse(text) };
  }

  /** @param {Answer} answer @param {Record<string, string>} sent  its request's headers */
  checked(answer, sent) {
    // Of the key before, there is a newer one.
    if (answer.status === 401 && sent.Authorization === this.authorization().Authorization) this.onUnauthorized();
    if (answer.status >= 400) throw new Problem(answer);
    return answer;
  }

  /** @returns {Record<string, string>} */
  authorization() {
    const key = this.key();
    return key ? { Authorization: `Token ${key}` } : {};
  }
}

/** @param {number} productId */
const images = (productId) => `/api/products/${productId}/images`;

/** @param {Record<string, string>} fields @param {string} name @param {File} file */
function form(fields, name, file) {
  const data = new FormData();
  for (const [field, value] of Object.entries(fields)) data.append(field, value);
  // Behind its fields: of a form S3 reads nothing that comes after the file.
  data.append(name, file, file.name);
  return data;
}

/** Send a form, and tell how much of it has left, which `fetch` cannot. @type {Post} */
export function post(url, { headers, body, onProgress, onSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    /** @type {ReturnType<typeof setTimeout>} */
    let silence;
    // A line that is gone without a word; the gateway itself answers within 29 s.
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), SILENT_MILLISECONDS);
    };
    request.upload.onprogress = (event) => {
      heard();
      if (event.total) onProgress(event.loaded / event.total);
    };
    request.upload.onload = () => {
      heard();
      onSent();
    };
    request.onload = () =>
      resolve({
        status: request.status,
        header: (name) => request.getResponseHeader(name),
        text: request.responseText,
      });
    request.onerror = request.onabort = () => reject(new NoAnswer());
    request.onloadend = () => clearTimeout(silence);
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
    heard();
  });
}
