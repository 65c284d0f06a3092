import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Gallery, UNDO_MILLISECONDS } from "../../../page/public/gallery.js";
import { Ordering } from "../../../page/public/ordering.js";
import { problem } from "./service.js";

/** A gallery in memory that compares tags. */
class Service {
  constructor(count) {
    this.images_ = Array.from({ length: count }, (_, index) => this.made(index + 1, { order: index }));
    this.removed = [];
    this.writes = 0;
    this.before = [];
  }

  made(id, values) {
    return { id, alt_text: "", status: "ready", renditions: [], is_primary: false, etag: `"${id}.0"`, ...values };
  }

  sorted() {
    return this.images_.toSorted((one, other) => one.order - other.order || one.id - other.id);
  }

  async images(_productId, { offset, limit, etag }) {
    const results = this.sorted().slice(offset, offset + limit);
    const tag = JSON.stringify(results);
    return tag === etag ? null : { etag: tag, page: { count: this.images_.length, next: null, results } };
  }

  async image(_productId, id) {
    return this.images_.find((each) => each.id === id);
  }

  async change(_productId, id, fields, etag) {
    this.before.shift()?.();
    const at = this.images_.findIndex((each) => each.id === id);
    if (etag && etag !== this.images_[at].etag) throw problem(412);
    this.writes += 1;
    this.images_[at] = { ...this.images_[at], ...fields, etag: `"${id}.${this.writes}"` };
    return this.images_[at];
  }

  async reorder(_productId, ids, etag) {
    this.before.shift()?.();
    if (etag !== (await this.images(0, { offset: 0, limit: 100 })).etag) throw problem(412);
    if (ids.length !== this.images_.length) throw problem(400);
    ids.forEach((id, order) => Object.assign(this.images_.find((each) => each.id === id), { order }));
  }

  async remove(_productId, id) {
    this.removed.push(id);
    this.images_ = this.images_.filter((each) => each.id !== id);
  }
}

async function setUp(count) {
  const service = new Service(count);
  const gallery = new Gallery(service, 1, () => {});
  await gallery.more();
  return { service, gallery, ordering: new Ordering(service, gallery) };
}

const ids = (images) => images.map((image) => image.id);

test("a gallery of any size is loaded part by part", async () => {
  const { gallery } = await setUp(150);
  assert.deepEqual([gallery.images.length, gallery.hasMore], [100, true]);
  await gallery.more();
  assert.deepEqual([gallery.images.length, gallery.hasMore], [150, false]);
});

test("loads that are asked for at once are one, and none is lost", async () => {
  const { gallery } = await setUp(350);
  await Promise.all([gallery.more(), gallery.more()]);
  assert.equal(gallery.images.length, 200);
  await Promise.all([gallery.more(), gallery.more()]);
  await Promise.all([gallery.more(), gallery.more()]);
  assert.deepEqual([ids(gallery.images).length, new Set(ids(gallery.images)).size, gallery.hasMore], [350, 350, false]);
});

test("a load that failed can be asked for again", async () => {
  const { service, gallery } = await setUp(150);
  service.images = async () => {
    throw problem(503);
  };
  await assert.rejects(gallery.more(), { status: 503 });
  delete service.images;
  await gallery.more();
  assert.equal(gallery.images.length, 150);
});

test("a picture that moves between two loads makes nothing to be asked for without end", async () => {
  const { service, gallery } = await setUp(200);
  service.images_[199].order = -1;
  await gallery.more();
  assert.deepEqual([gallery.images.length, gallery.hasMore], [199, false]);
  await gallery.refresh();
  assert.equal(gallery.images.length, 200);
});

test("a page that a refresh has brought meanwhile is not put in twice", async () => {
  const { service, gallery } = await setUp(150);
  const more = gallery.more();
  service.images_ = service.images_.slice(0, 20);
  gallery.pages.length = 0;
  await Promise.all([more, gallery.refresh()]);
  assert.deepEqual([gallery.images.length, gallery.hasMore], [20, false]);
});

test("only what has changed is news", async () => {
  const { service, gallery } = await setUp(3);
  assert.equal(await gallery.refresh(), false);
  service.images_[0] = { ...service.images_[0], alt_text: "New" };
  assert.equal(await gallery.refresh(), true);
});

test("an edit is saved", async () => {
  const { service, gallery } = await setUp(1);
  gallery.edit(1, "A red shoe");
  await gallery.saveText(1);
  assert.equal(service.images_[0].alt_text, "A red shoe");
  assert.equal(gallery.drafts.size, 0);
});

test("one's own text is not shown as somebody else's when one goes on before it is saved", async () => {
  const { service, gallery } = await setUp(1);
  gallery.edit(1, "Red");
  const saved = gallery.saveText(1);
  gallery.edit(1, "Red shoe");
  await saved;
  assert.deepEqual([service.images_[0].alt_text, gallery.drafts.get(1).theirs], ["Red", null]);
  await gallery.saveText(1);
  assert.deepEqual([service.images_[0].alt_text, gallery.drafts.size], ["Red shoe", 0]);
});

test("one's own text that is seen before its answer comes is taken for one's own then", async () => {
  const { service, gallery } = await setUp(1);
  const change = service.change.bind(service);
  service.change = async (...given) => {
    const answer = await change(...given);
    await gallery.refresh();
    return answer;
  };
  gallery.edit(1, "Red");
  const saved = gallery.saveText(1);
  gallery.edit(1, "Red shoe");
  await saved;
  assert.equal(gallery.drafts.get(1).theirs, null);
});

test("an edit that meets another one is not saved, and shows it", async () => {
  const { service, gallery } = await setUp(1);
  gallery.edit(1, "Mine");
  await service.change(1, 1, { alt_text: "Theirs" });
  await gallery.saveText(1);
  assert.equal(service.images_[0].alt_text, "Theirs");
  assert.equal(gallery.drafts.get(1).theirs, "Theirs");
  await gallery.settle(1, true);
  assert.equal(service.images_[0].alt_text, "Mine");
});

test("an edit by somebody else shows while one still writes", async () => {
  const { service, gallery } = await setUp(1);
  gallery.edit(1, "Mine");
  await service.change(1, 1, { alt_text: "Theirs" });
  await gallery.refresh();
  assert.equal(gallery.drafts.get(1).theirs, "Theirs");
  await gallery.settle(1, false);
  assert.equal(gallery.drafts.size, 0);
});

test("an edit is saved though something else of the picture has changed", async () => {
  const { service, gallery } = await setUp(2);
  gallery.edit(1, "Mine");
  await service.change(1, 1, { order: 9 });
  await gallery.saveText(1);
  assert.deepEqual([service.images_[0].alt_text, service.images_[0].order], ["Mine", 9]);
});

test("what is removed is out of sight at once, and gone when its time is over", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { service, gallery } = await setUp(3);
  gallery.remove([2], assert.ifError);
  assert.deepEqual([ids(gallery.images), service.removed], [[1, 3], []]);
  mock.timers.tick(UNDO_MILLISECONDS);
  assert.deepEqual(service.removed, [2]);
  mock.timers.reset();
});

test("what is brought back in time is not removed", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { service, gallery } = await setUp(3);
  gallery.remove([2], assert.ifError);
  gallery.undo();
  mock.timers.tick(UNDO_MILLISECONDS);
  assert.deepEqual([ids(gallery.images), service.removed], [[1, 2, 3], []]);
  mock.timers.reset();
});

test("what is being removed is neither counted nor brought back", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { service, gallery } = await setUp(3);
  let answer = () => {};
  const remove = service.remove.bind(service);
  service.remove = async (...given) => {
    await new Promise((resolve) => (answer = resolve));
    return remove(...given);
  };
  gallery.remove([1], assert.ifError);
  mock.timers.tick(UNDO_MILLISECONDS);
  gallery.remove([2], assert.ifError);
  assert.equal(gallery.undoable, 1);
  gallery.undo();
  assert.deepEqual([ids(gallery.images), gallery.undoable], [[2, 3], 0]);
  answer();
  mock.timers.reset();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([service.removed, ids(gallery.images)], [[1], [2, 3]]);
});

test("leaving the page removes at once what waits for it", async () => {
  const { service, gallery } = await setUp(3);
  gallery.remove([1, 3], assert.ifError);
  gallery.leave();
  assert.deepEqual(service.removed, [1, 3]);
});

test("a move is shown at once and saved", async () => {
  const { service, gallery, ordering } = await setUp(4);
  ordering.show(4, 0);
  assert.deepEqual(ids(gallery.images), [4, 1, 2, 3]);
  await ordering.save(4);
  assert.deepEqual(ids(service.sorted()), [4, 1, 2, 3]);
  assert.deepEqual(ids(gallery.images), [4, 1, 2, 3]);
});

test("a move is merged with what others did meanwhile", async () => {
  const { service, gallery, ordering } = await setUp(4);
  service.before.push(() => {
    service.images_.push(service.made(5, { order: -1 }));
    Object.assign(service.images_[1], { order: 8 });
  });
  ordering.show(4, 1);
  await ordering.save(4);
  assert.deepEqual(ids(service.sorted()), [5, 1, 4, 3, 2]);
  assert.deepEqual(ids(gallery.images), [5, 1, 4, 3, 2]);
});

test("moves that are made while one is saved are saved too", async () => {
  const { service, ordering } = await setUp(5);
  ordering.show(5, 3);
  const first = ordering.save(5);
  ordering.show(5, 2);
  ordering.save(5);
  ordering.show(5, 1);
  ordering.save(5);
  await first;
  assert.deepEqual(ids(service.sorted()), [1, 5, 2, 3, 4]);
});

test("beyond a hundred pictures the moved one and its neighbours change", async () => {
  const { service, gallery, ordering } = await setUp(150);
  await gallery.more();
  ordering.show(150, 0);
  await ordering.save(150);
  assert.equal(service.sorted()[0].id, 150);
  assert.equal(service.writes, 1);
});

test("pictures of equal order are put right beyond those that were loaded", async () => {
  const { service, gallery, ordering } = await setUp(150);
  for (const image of service.images_) image.order = 0;
  await gallery.refresh();
  assert.equal(gallery.images.length, 100);
  ordering.show(1, 99);
  await ordering.save(1);
  const wanted = [...ids(service.images_).slice(1, 100), 1, ...ids(service.images_).slice(100)];
  assert.deepEqual(ids(service.sorted()), wanted);
});

test("beyond a hundred pictures too a move is merged with what others did meanwhile", async () => {
  const { service, ordering } = await setUp(150);
  Object.assign(service.images_[0], { order: 500 });
  ordering.show(100, 1);
  await ordering.save(100);
  assert.deepEqual(ids(service.sorted()).slice(-2), [1, 100]);
});
