/** Puts pictures in order: what a move means, and how it is saved beside the moves of others. Free of the document. */
import { Problem } from "./client.js";

/** Most pictures in one new order (the API's limit); beyond it each picture's own `order` changes. */
const WHOLE = 99;
const MOST_TRIES = 6;

/**
 * @template T
 * @param {T[]} list @param {number} from @param {number} to
 * @returns {T[]} the list with one element at another place
 */
export function moved(list, from, to) {
  const rest = list.toSpliced(from, 1);
  return rest.toSpliced(to, 0, list[from]);
}

/**
 * Make the same move in a list that has changed meanwhile: behind the same neighbour, or else before it.
 *
 * @param {number[]} ids @param {{id: number, after: number | null, before: number | null}} move
 */
export function moveAgain(ids, { id, after, before }) {
  const rest = ids.filter((each) => each !== id);
  if (rest.length === ids.length) return ids;
  if (after === null) return [id, ...rest];
  const behind = rest.indexOf(after);
  if (behind >= 0) return rest.toSpliced(behind + 1, 0, id);
  const ahead = before === null ? rest.length : rest.indexOf(before);
  return rest.toSpliced(ahead < 0 ? rest.length : ahead, 0, id);
}

/**
 * The fewest changes of `order` with which a gallery stands as wanted: what follows the moved picture moves on as far
 * as it must, or what stands before it moves back.
 *
 * @param {{id: number, order: number}[]} wanted @param {number} at  where the moved picture stands now
 * @returns {{id: number, order: number}[]}
 */
export function orderChanges(wanted, at) {
  const on = pushed(wanted, at, 1);
  const back = pushed(wanted, at, -1);
  return back.length < on.length ? back : on;
}

/** @param {{id: number, order: number}[]} wanted @param {number} at @param {1 | -1} step */
function pushed(wanted, at, step) {
  const changes = [];
  const first = wanted[at - step];
  // A picture at the very end of the direction needs only be beyond its neighbour.
  let last = first ? first.order : (wanted[at + step]?.order ?? 0) - 2 * step;
  for (let index = at; wanted[index]; index += step) {
    const { id, order } = wanted[index];
    const isBeyond = step > 0 ? order > last : order < last;
    if (isBeyond && index !== at) break;
    last += step;
    changes.push({ id, order: last });
  }
  return changes;
}

export class Ordering {
  /**
   * @param {import("./client.js").Client} client
   * @param {import("./gallery.js").Gallery} gallery
   */
  constructor(client, gallery) {
    this.client = client;
    this.gallery = gallery;
    /** @type {{id: number, after: number | null, before: number | null}[]} */
    this.moves = [];
  }

  /** Show a picture at another place, at once. @param {number} id @param {number} to  among those shown */
  show(id, to) {
    const ids = this.gallery.images.map((image) => image.id);
    const from = ids.indexOf(id);
    if (from >= 0) this.gallery.arrange(moved(ids, from, to));
  }

  /** Save the place at which a picture is shown. @param {number} id */
  async save(id) {
    const ids = this.gallery.images.map((image) => image.id);
    const at = ids.indexOf(id);
    this.moves = this.moves.filter((move) => move.id !== id);
    this.moves.push({ id, after: ids[at - 1] ?? null, before: ids[at + 1] ?? null });
    if (this.gallery.held) return;
    this.gallery.held = true;
    try {
      while (this.moves.length) await this.write();
    } catch (error) {
      this.moves = [];
      throw error;
    } finally {
      this.gallery.held = false;
      await this.gallery.refresh();
    }
  }

  async write() {
    const moves = this.moves;
    this.moves = [];
    for (let tries = 1; ; tries += 1) {
      try {
        // Others may have ordered, added or removed some: the same moves in what there is now.
        await this.gallery.refresh(true);
        if (this.gallery.count <= WHOLE) await this.writeWhole(moves);
        else await this.writeEach(moves);
        return;
      } catch (error) {
        // They did it between the look and the order.
        const isStale = error instanceof Problem && [400, 409, 412].includes(error.status);
        if (!isStale || tries >= MOST_TRIES) throw error;
      }
    }
  }

  /** @param {{id: number, after: number | null, before: number | null}[]} moves */
  async writeWhole(moves) {
    // With its tag, nobody's order is overwritten unseen.
    const { etag, ids } = this.gallery.stored();
    const wanted = moves.reduce(moveAgain, ids);
    await this.client.reorder(this.gallery.productId, wanted, etag);
  }

  /** @param {{id: number, after: number | null, before: number | null}[]} moves */
  async writeEach(moves) {
    // Pictures that were not loaded yet may have the same order.
    while (this.gallery.hasMore) await this.gallery.more();
    let { ids, orders } = this.gallery.stored();
    for (const move of moves) {
      ids = moveAgain(ids, move);
      const wanted = ids.map((id) => ({ id, order: orders.get(id) ?? 0 }));
      for (const { id, order } of orderChanges(wanted, ids.indexOf(move.id))) {
        await this.client.change(this.gallery.productId, id, { order });
        orders.set(id, order);
      }
    }
  }
}
