/** Draws the picture that a ThumbHash is, of at most 32 by 32 pixels (https://evanw.github.io/thumbhash/). */

const LONGEST_PX = 32;
/** Colours were weakened by their rounding. */
const SATURATION = 1.25;

/**
 * @param {Uint8Array} hash
 * @returns {{width: number, height: number, rgba: Uint8ClampedArray<ArrayBuffer>}} four bytes for each pixel, row by row
 */
export function decode(hash) {
  const head = hash[0] | (hash[1] << 8) | (hash[2] << 16);
  const more = hash[3] | (hash[4] << 8);
  const hasAlpha = head >> 23;
  const [short, long] = [more & 7, hasAlpha ? 5 : 7];
  const [across, down] = more >> 15 ? [long, short] : [short, long];
  const width = Math.round(Math.min(LONGEST_PX, (LONGEST_PX * across) / down));
  const height = Math.round(Math.min(LONGEST_PX, (LONGEST_PX * down) / across));
  const next = halves(hash, hasAlpha ? 6 : 5);
  const light = waves(next, Math.max(3, across), Math.max(3, down), ((head >> 18) & 31) / 31);
  const yellow = waves(next, 3, 3, (((more >> 3) & 63) / 63) * SATURATION);
  const red = waves(next, 3, 3, (((more >> 9) & 63) / 63) * SATURATION);
  const alpha = hasAlpha ? waves(next, 5, 5, (hash[5] >> 4) / 15) : [];
  const rgba = new Uint8ClampedArray(width * height * 4);
  const [columns, rows] = [cosines(width), cosines(height)];
  for (let at = 0; at < width * height; at += 1) {
    const [x, y] = [columns[at % width], rows[Math.floor(at / width)]];
    const l = sum(light, x, y, (head & 63) / 63);
    const p = sum(yellow, x, y, ((head >> 6) & 63) / 31.5 - 1);
    const q = sum(red, x, y, ((head >> 12) & 63) / 31.5 - 1);
    const b = l - (2 / 3) * p;
    const r = (3 * l - b + q) / 2;
    const a = hasAlpha ? sum(alpha, x, y, (hash[5] & 15) / 15) : 1;
    rgba.set([r, r - q, b, a].map((value) => Math.floor(255 * value)), at * 4);
  }
  return { width, height, rgba };
}

/** Four bits after four, the lower ones first. @param {Uint8Array} hash @param {number} from  in bytes */
function* halves(hash, from) {
  for (const byte of hash.subarray(from)) yield* [byte & 15, byte >> 4];
}

/**
 * @param {Iterator<number, void>} next @param {number} across @param {number} down @param {number} scale
 * @returns {[number, number, number][]} how often each wave goes up and down over the width and the height, and how high
 */
function waves(next, across, down, scale) {
  /** @type {[number, number, number][]} */
  const found = [];
  for (let y = 0; y < down; y += 1) {
    for (let x = y ? 0 : 1; x * down < across * (down - y); x += 1) {
      found.push([x, y, (Number(next.next().value) / 7.5 - 1) * scale]);
    }
  }
  return found;
}

/** How high each wave stands at each pixel of a side. @param {number} size */
const cosines = (size) =>
  Array.from({ length: size }, (_, at) => Array.from({ length: 7 }, (_, wave) => Math.cos((Math.PI / size) * (at + 0.5) * wave)));

/** @param {[number, number, number][]} waves @param {number[]} x @param {number[]} y @param {number} mean */
const sum = (waves, x, y, mean) =>
  waves.reduce((all, [across, down, height]) => all + height * x[across] * (y[down] * 2), mean);
