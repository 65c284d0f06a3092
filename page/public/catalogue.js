/** The products that match a search, as far as they were loaded. Free of the document. */

export class Catalogue {
  /** Another search is another list: answers to the one before do not get into it. */
  list = searched("");

  /** @param {import("./client.js").Client} client @param {() => void} onChange */
  constructor(client, onChange) {
    this.client = client;
    this.onChange = onChange;
  }

  /** @param {string} q */
  search(q) {
    this.list = searched(q);
    return this.more();
  }

  async more() {
    const { list } = this;
    if (list.isLoading) return;
    list.isLoading = true;
    this.onChange();
    try {
      const { results, next } = await this.client.products({ q: list.q.trim(), after: list.next });
      list.results.push(...results);
      list.next = next;
    } finally {
      list.isLoading = false;
      this.onChange();
    }
  }

  /** The title of a product, or null. @param {number} productId */
  async titleOf(productId) {
    const isMeant = (/** @type {import("./client.js").Product} */ each) => each.product_id === productId;
    const listed = this.list.results.find(isMeant);
    if (listed) return listed.title;
    const { results } = await this.client.products({ q: String(productId), limit: 10 });
    return results.find(isMeant)?.title ?? null;
  }
}

/** @param {string} q @returns {{q: string, results: import("./client.js").Product[], next: string | null, isLoading: boolean}} */
const searched = (q) => ({ q, results: [], next: null, isLoading: false });
