/** Files that come in: by button, drop and paste. Which of them are pictures; what is sent of them; how they look. */
import { Refusal } from "./delivery.js";

const PREVIEW_PX = 96;
const JPEG_QUALITY = 0.92;
const MOST_NAMES = 10;
const PICTURE = /\.(jpe?g|jfif|png|webp|gif|avif|hei[cf]|tiff?|bmp|jxl|svg)$/i;
const HEIC = /\.hei[cf]$/i;

/** Why a file is left out; else it is meant to be a picture, and the service looks at its content. @param {File} file */
export function whyLeftOut({ name, type }) {
  if (name.startsWith(".")) return "hidden";
  return type.startsWith("image/") || PICTURE.test(name) ? null : "noPicture";
}

/**
 * The first names, and how many more there are, whichever way each is written.
 *
 * @param {File[]} files
 */
export function named(files) {
  const names = files.slice(0, MOST_NAMES).map((file) => `\u2068${file.name}\u2069`);
  return names.join(", ") + (files.length > MOST_NAMES ? ` (+ ${files.length - MOST_NAMES})` : "");
}

/**
 * All files of a drop, those in folders too, folders by name.
 *
 * @param {DataTransfer} transfer @returns {Promise<File[]>}
 */
export async function droppedFiles(transfer) {
  // Before the first wait: behind it the browser has taken the items away.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return files;
  return (await Promise.all(entries.map((entry) => filesOf(entry)))).flat();
}

const byName = new Intl.Collator(undefined, { numeric: true }).compare;

/** The path of a file of a chosen folder; before all else sorts a tab, so that folders stay whole. @param {File} file */
const pathOf = (file) => file.webkitRelativePath.replaceAll("/", "\t");

/** Files that were chosen, those of a folder by name. @param {Iterable<File>} files */
export const chosenFiles = (files) => [...files].sort((one, other) => byName(pathOf(one), pathOf(other)));

/** @param {FileSystemEntry | null} entry @returns {Promise<File[]>} */
async function filesOf(entry) {
  if (!entry) return [];
  if (entry.isFile) {
    const file = /** @type {FileSystemFileEntry} */ (entry);
    return [await new Promise((resolve, reject) => file.file(resolve, reject))];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const inside = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    inside.push(...some);
  }
  inside.sort((one, other) => byName(one.name, other.name));
  return (await Promise.all(inside.map((each) => filesOf(each)))).flat();
}

/** One at a time: pictures take their pixels' memory while they are decoded. */
let decoding = Promise.resolve();

const nothing = () => {};

/** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
function inTurn(work) {
  const done = decoding.then(work);
  decoding = done.then(nothing, nothing);
  return done;
}

/**
 * What is sent of a file: HEIC as JPEG, where the browser can open it, anything else as it is.
 *
 * @param {File} file @returns {Promise<File>}
 */
export async function prepare(file) {
  if (!HEIC.test(file.name) && !/hei[cf]/.test(file.type)) return file;
  return inTurn(async () => {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      throw new Refusal("heic");
    }
    const blob = await drawn(bitmap, JPEG_QUALITY);
    return new File([blob], file.name.replace(HEIC, "") + ".jpg", { type: "image/jpeg" });
  });
}

/** The SHA-256 of a file in hexadecimal; null where the browser makes none, without TLS. @param {File} file */
export async function digest(file) {
  const hash = await crypto.subtle?.digest("SHA-256", await file.arrayBuffer());
  return hash ? Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("") : null;
}

/** The address of a small picture of a file, upright; null if the browser cannot open it. @param {File} file */
function preview(file) {
  return inTurn(async () => {
    try {
      // Of the larger side the browser takes the other one's measure.
      const bitmap = await createImageBitmap(file, { resizeWidth: PREVIEW_PX, resizeQuality: "medium" });
      return URL.createObjectURL(await drawn(bitmap, 0.7));
    } catch {
      return null;
    }
  });
}

/** A picture as JPEG. @param {ImageBitmap} bitmap @param {number} quality */
async function drawn(bitmap, quality) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
  // Its pixels go at once, not when it is collected.
  canvas.width = 0;
  return blob;
}

/** Previews of the files in the queue, made when their lines are first drawn, and let go with them. */
export class Previews {
  /** Addresses by item; null: it is being made, or none can be had. @type {Map<number, string | null>} */
  urls = new Map();

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
  }

  /** @param {import("./queue.js").Item} item @returns {string | null} */
  of({ id, file }) {
    if (!this.urls.has(id) && file) {
      this.urls.set(id, null);
      preview(file).then((url) => {
        this.urls.set(id, url);
        this.onChange();
      });
    }
    return this.urls.get(id) ?? null;
  }

  /** Let go of those whose lines are gone. @param {import("./queue.js").Item[]} items */
  tidy(items) {
    const ids = new Set(items.map((item) => item.id));
    for (const [id, url] of this.urls) {
      if (ids.has(id)) continue;
      if (url) URL.revokeObjectURL(url);
      this.urls.delete(id);
    }
  }
}
