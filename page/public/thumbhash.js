/** Draws the picture that a ThumbHash is, of at most 32 by 32 pixels (https://evanw.github.io/thumbhash/). */

const LONGEST_PX = 32;
/** Colours were weakened by their rounding. */
const SATURATION = 1.25;

/**
 * @param {Uint8Array} hash
 * @returns {{width: number, height: number, rgba: Uint8ClampedArray<ArrayBuffer>}} four bytes for each pixel, row by row
 */
export function decode(hash) {
  let read = 0;
  /** The next so many bits, the lowest first, as 0 to 1. @param {number} bits */
  const share = (bits) => whole(bits) / (2 ** bits - 1);
  const whole = (/** @type {number} */ bits) => {
    let value = 0;
    for (let bit = 0; bit < bits; bit += 1, read += 1) value |= ((hash[read >> 3] >> (read & 7)) & 1) << bit;
    return value;
  };
  const means = [share(6), whole(6) / 31.5 - 1, whole(6) / 31.5 - 1];
  const scales = [share(5)];
  const hasAlpha = whole(1);
  const [short, long] = [whole(3), hasAlpha ? 5 : 7];
  scales.push(share(6) * SATURATION, share(6) * SATURATION);
  const [across, down] = whole(1) ? [long, short] : [short, long];
  const sizes = [[Math.max(3, across), Math.max(3, down)], [3, 3], [3, 3]];
  if (hasAlpha) {
    means.push(share(4));
    scales.push(share(4));
    sizes.push([5, 5]);
  }
  const waves = sizes.map(([nx, ny], channel) => {
    const found = [];
    for (let y = 0; y < ny; y += 1) {
      for (let x = y ? 0 : 1; x * ny < nx * (ny - y); x += 1) {
        found.push({ x, y, height: (whole(4) / 7.5 - 1) * scales[channel] });
      }
    }
    return found;
  });
  const width = Math.round(Math.min(LONGEST_PX, (LONGEST_PX * across) / down));
  const height = Math.round(Math.min(LONGEST_PX, (LONGEST_PX * down) / across));
  const [columns, rows] = [cosines(width), cosines(height)];
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let at = 0; at < width * height; at += 1) {
    const [column, row] = [columns[at % width], rows[Math.floor(at / width)]];
    const [l, p, q, a = 1] = waves.map((all, channel) =>
      all.reduce((sum, { x, y, height }) => sum + height * column[x] * (row[y] * 2), means[channel]),
    );
    const b = l - (2 / 3) * p;
    const r = (3 * l - b + q) / 2;
    rgba.set([r, r - q, b, a].map((value) => Math.floor(255 * value)), at * 4);
  }
  return { width, height, rgba };
}

/** How high each wave stands at each pixel of a side. @param {number} size */
const cosines = (size) =>
  Array.from({ length: size }, (_, at) => Array.from({ length: 7 }, (_, wave) => Math.cos((Math.PI / size) * (at + 0.5) * wave)));
