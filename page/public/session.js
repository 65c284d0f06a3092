/** The key of who is signed in: in memory and in this tab's storage, nowhere else, never in an address. */

const NAME = "product-images key";
const SHAPE = /^pik_[0-9A-Za-z]{46}$/;

export class Session {
  /** @param {Storage} storage */
  constructor(storage) {
    this.storage = storage;
    this.key = storage.getItem(NAME);
  }

  /** @param {string} key */
  keep(key) {
    this.key = key;
    this.storage.setItem(NAME, key);
  }

  forget() {
    this.key = null;
    this.storage.removeItem(NAME);
  }
}

/** Whether a text can be a key at all. @param {string} text */
export const isKey = (text) => SHAPE.test(text);

/**
 * Where this tab notes what it has reserved: names and numbers, no key.
 *
 * @typedef {import("./queue.js").Note} Note
 * @typedef {{load: () => Note[], add: (note: Note) => void, remove: (imageId: number) => void}} Notes
 *
 * @param {Pick<Storage, "getItem" | "setItem">} storage
 * @returns {Notes}
 */
export function notesIn(storage) {
  const name = "product-images reserved";
  /** @type {() => Note[]} */
  const load = () => JSON.parse(storage.getItem(name) ?? "[]");
  /** @param {number} imageId @param {...Note} more */
  const replace = (imageId, ...more) =>
    storage.setItem(name, JSON.stringify([...load().filter((each) => each.imageId !== imageId), ...more]));
  return { load, add: (note) => replace(note.imageId, note), remove: (imageId) => replace(imageId) };
}
