import assert from "node:assert/strict";
import { test } from "node:test";

import { moveAgain, moved, orderChanges } from "../../../page/public/ordering.js";

test("a picture moves to the place that is named", () => {
  assert.deepEqual(moved([1, 2, 3, 4], 0, 2), [2, 3, 1, 4]);
  assert.deepEqual(moved([1, 2, 3, 4], 3, 0), [4, 1, 2, 3]);
});

test("in a gallery that changed meanwhile it goes behind the same neighbour, or else before the other", () => {
  const move = { id: 3, after: 1, before: 2 };
  assert.deepEqual(moveAgain([9, 2, 1, 3], move), [9, 2, 1, 3]);
  assert.deepEqual(moveAgain([2, 9, 3], move), [3, 2, 9]);
  assert.deepEqual(moveAgain([9, 3], move), [9, 3]);
  assert.deepEqual(moveAgain([9, 2, 3], { id: 3, after: null, before: 9 }), [3, 9, 2]);
  assert.deepEqual(moveAgain([9, 2], move), [9, 2]);
});

/** How the service would show them: by order, then by id. */
function shown(images, changes) {
  const orders = new Map(changes.map(({ id, order }) => [id, order]));
  const now = images.map(({ id, order }) => ({ id, order: orders.get(id) ?? order }));
  return now.toSorted((one, other) => one.order - other.order || one.id - other.id).map(({ id }) => id);
}

test("whatever the orders are and wherever a picture goes, the changes put it there", () => {
  for (const orders of [[0, 0, 0, 0, 0], [0, 1, 2, 3, 4], [5, 5, 6, 6, 90], [-3, 0, 0, 7, 7]]) {
    const images = orders.map((order, id) => ({ id, order }));
    for (let from = 0; from < images.length; from += 1) {
      for (let to = 0; to < images.length; to += 1) {
        if (from === to) continue;
        const wanted = moved(images, from, to);
        const changes = orderChanges(wanted, to);
        assert.deepEqual(shown(images, changes), wanted.map(({ id }) => id), `${orders} ${from} ${to}`);
      }
    }
  }
});

test("in a gallery of thousands a move by one place changes two pictures at most", () => {
  const images = Array.from({ length: 3_000 }, (_, id) => ({ id, order: id }));
  assert.ok(orderChanges(moved(images, 1_500, 1_501), 1_501).length <= 2);
  assert.equal(orderChanges(moved(images, 2_999, 0), 0).length, 1);
  assert.equal(orderChanges(moved(images, 0, 2_999), 2_999).length, 1);
});
