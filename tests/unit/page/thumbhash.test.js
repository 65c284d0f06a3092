import assert from "node:assert/strict";
import { test } from "node:test";

import { rgbaToThumbHash, thumbHashToRGBA } from "../../../page/node_modules/thumbhash/thumbhash.js";
import { decode } from "../../../page/public/thumbhash.js";

/** A picture of waves, the same for the same seed. */
function picture(width, height, { seed, isOpaque }) {
  const rgba = new Uint8Array(width * height * 4);
  for (let at = 0; at < rgba.length; at += 1) {
    const [x, y, channel] = [(at >> 2) % width, Math.floor((at >> 2) / width), at & 3];
    rgba[at] = 127.5 + 127 * Math.sin(seed * (channel + 1) + (x * seed) / width) * Math.cos((y * (seed + channel)) / height);
    if (isOpaque && channel === 3) rgba[at] = 255;
  }
  return rgba;
}

for (const [width, height] of [[100, 100], [100, 60], [60, 100], [100, 9], [9, 100]]) {
  for (const isOpaque of [true, false]) {
    test(`a hash of ${width} x ${height}, ${isOpaque ? "opaque" : "with alpha"}, is drawn as the reference draws it`, () => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const hash = rgbaToThumbHash(width, height, picture(width, height, { seed, isOpaque }));
        const { w, h, rgba } = thumbHashToRGBA(hash);
        const drawn = decode(hash);
        assert.deepEqual([drawn.width, drawn.height], [w, h]);
        assert.deepEqual([...drawn.rgba], [...rgba]);
      }
    });
  }
}
