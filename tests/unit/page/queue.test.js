import assert from "node:assert/strict";
import { test } from "node:test";

import { NoAnswer } from "../../../page/public/client.js";
import { DIRECT_BYTES, Refusal } from "../../../page/public/delivery.js";
import { isTwice, Queue } from "../../../page/public/queue.js";
import { notesIn } from "../../../page/public/session.js";
import { problem, Service } from "./service.js";

/** @param {string} name */
const file = (name, size = 10) => new File([new Uint8Array(size)], name, { type: "image/jpeg" });

function setUp({ left = [], ...options } = {}) {
  const service = new Service();
  const slept = [];
  const stored = new Map([["product-images reserved", JSON.stringify(left)]]);
  const notes = notesIn({ getItem: (name) => stored.get(name) ?? null, setItem: (name, text) => stored.set(name, text) });
  const queue = new Queue({
    client: service,
    notes,
    onChange: () => {},
    onArrived: () => {},
    prepare: async (each) => each,
    digest: async () => null,
    now: () => service.now,
    sleep: async (milliseconds) => {
      slept.push(milliseconds / 1000);
      service.now += milliseconds;
    },
    ...options,
  });
  service.onUnauthorized = () => queue.lock();
  return { service, queue, slept, notes: notes.load };
}

/** Until nothing moves any more. */
async function settle() {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const states = (queue) => queue.items.map((item) => item.state);

test("pictures stand in the order in which they were chosen, behind those that are there", async () => {
  const { service, queue } = setUp();
  service.last = 41;
  queue.add(1, [file("a.jpg"), file("b.jpg")]);
  queue.add(1, [file("c.jpg")]);
  await settle();
  assert.deepEqual(
    service.images.map(({ name, order }) => [name, order]),
    [["a.jpg", 42], ["b.jpg", 43], ["c.jpg", 44]],
  );
});

test("a product without pictures begins at nought", async () => {
  const { service, queue } = setUp();
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.equal(service.images[0].order, 0);
});

test("what is added when all else is under way counts what others added meanwhile", async () => {
  const { service, queue } = setUp();
  queue.add(1, [file("a.jpg")]);
  await settle();
  service.last = 7;
  queue.add(1, [file("b.jpg")]);
  await settle();
  assert.equal(service.images[1].order, 8);
});

test("what is chosen while the first are being sent stands behind them", async () => {
  const { service, queue } = setUp();
  service.last = 4;
  let release = () => {};
  service.held = new Promise((resolve) => (release = resolve));
  queue.add(1, ["a", "b", "c"].map((name) => file(name)));
  await settle();
  queue.add(1, ["d", "e", "f"].map((name) => file(name)));
  release();
  await settle();
  assert.deepEqual(
    service.images.map(({ name, order }) => [name, order]),
    [["a", 5], ["b", 6], ["c", 7], ["d", 8], ["e", 9], ["f", 10]],
  );
});

test("one that failed before it had a place keeps none from others, and gets the last when it is tried again", async () => {
  const refused = new Set(["bad.heic"]);
  const { service, queue } = setUp({
    prepare: async (each) => {
      if (refused.has(each.name)) throw new Refusal("heic");
      return each;
    },
  });
  queue.add(1, [file("bad.heic")]);
  await settle();
  service.last = 7;
  queue.add(1, [file("a.jpg")]);
  await settle();
  refused.clear();
  service.last = 8;
  queue.retry(() => true);
  await settle();
  assert.deepEqual(service.images.map(({ name, order }) => [name, order]), [["a.jpg", 8], ["bad.heic", 9]]);
});

test("three are sent at once, and none is done before its answer", async () => {
  const { service, queue } = setUp();
  let release = () => {};
  service.held = new Promise((resolve) => (release = resolve));
  queue.add(1, ["a", "b", "c", "d"].map((name) => file(name)));
  await settle();
  assert.deepEqual(states(queue), ["sent", "sent", "sent", "waiting"]);
  release();
  await settle();
  assert.deepEqual(states(queue), ["checking", "checking", "checking", "checking"]);
});

test("a picture is ready when the service says so, and its bytes are let go", async () => {
  const { service, queue } = setUp();
  queue.add(1, [file("a.jpg")]);
  await settle();
  service.images[0].status = "ready";
  await queue.look(new Set());
  assert.deepEqual(states(queue), ["ready"]);
  assert.equal(queue.items[0].file, null);
});

test("a picture that the service cannot show fails with the reason", async () => {
  const { service, queue } = setUp();
  queue.add(1, [file("a.jpg")]);
  await settle();
  queue.seen([{ ...service.images[0], status: "failed", error: "The file is damaged." }]);
  assert.equal(queue.items[0].failure.detail, "The file is damaged.");
});

test("an answer that is lost is asked for again with the same key, and there is one picture", async () => {
  const { service, queue } = setUp();
  service.faults = ["lost"];
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.equal(service.images.length, 1);
  const keys = service.calls.map(([, , key]) => key);
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  assert.deepEqual(states(queue), ["checking"]);
});

test("without a network it waits, and goes on at once when that is back", async () => {
  const { service, queue } = setUp({ sleep: () => new Promise(() => {}) });
  service.faults = [new NoAnswer()];
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.deepEqual([states(queue), queue.items[0].pause], [["pausing"], "offline"]);
  queue.delivery.wake();
  await settle();
  assert.deepEqual(states(queue), ["checking"]);
});

for (const status of [429, 503]) {
  test(`a ${status} is waited for as long as it says`, async () => {
    const { service, queue, slept } = setUp();
    service.faults = [problem(status, { code: "outcome_unknown", retryAfter: "7" })];
    queue.add(1, [file("a.jpg")]);
    await settle();
    assert.deepEqual(slept, [7]);
    assert.equal(service.images.length, 1);
  });
}

test("a service that stays out of order is given up after six tries, with its words", async () => {
  const { service, queue, slept } = setUp();
  service.faults = Array.from({ length: 20 }, () => problem(500, { detail: "Something went wrong." }));
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.deepEqual(slept, [2, 4, 8, 16, 30, 30]);
  assert.equal(queue.items[0].failure.detail, "Something went wrong.");
});

test("a long outage leaves a busy service all its tries", async () => {
  const { service, queue } = setUp();
  service.faults = [...Array.from({ length: 9 }, () => new NoAnswer()), problem(503), problem(429)];
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.deepEqual(states(queue), ["checking"]);
});

test("a quota that opens tomorrow is a failure that says so", async () => {
  const { service, queue, slept } = setUp();
  service.faults = [problem(429, { code: "quota_exceeded", detail: "Tomorrow.", retryAfter: "40000" })];
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.deepEqual([slept, queue.items[0].failure.detail], [[], "Tomorrow."]);
});

test("without a key the queue is kept, and goes on with the next one", async () => {
  const { service, queue } = setUp();
  service.faults = [problem(401)];
  queue.add(1, [file("a.jpg"), file("b.jpg"), file("c.jpg"), file("d.jpg")]);
  await settle();
  assert.equal(queue.items.length, 4);
  assert.ok(states(queue).includes("waiting"));
  queue.unlock();
  await settle();
  assert.deepEqual(new Set(states(queue)), new Set(["checking"]));
  assert.equal(service.images.length, 4);
});

test("a refusal of the key before does not lock the queue again", async () => {
  const { service, queue } = setUp();
  service.onUnauthorized = () => {};
  service.faults = [problem(401)];
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.deepEqual([queue.delivery.isLocked, states(queue)], [false, ["checking"]]);
});

test("a large file takes the form by itself", async () => {
  const { service, queue, notes } = setUp();
  queue.add(1, [file("big.jpg", DIRECT_BYTES + 1), file("small.jpg", DIRECT_BYTES)]);
  await settle();
  assert.deepEqual(service.calls.map(([call, name]) => [call, name]).sort(), [
    ["reserve", "big.jpg"],
    ["send", "small.jpg"],
    ["sendForm", "big.jpg"],
  ]);
  assert.equal(service.images.find((image) => image.name === "big.jpg").bytes, DIRECT_BYTES + 1);
  assert.deepEqual(notes(), []);
});

test("a file that the direct way refuses as too large takes the form", async () => {
  const { service, queue } = setUp();
  service.faults = [problem(413)];
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.deepEqual(service.calls.map(([call]) => call), ["send", "reserve", "sendForm"]);
  assert.deepEqual(states(queue), ["checking"]);
});

test("a form that expired is followed by a new one, and what it was for is removed", async () => {
  const { service, queue } = setUp();
  service.faults = [null, problem(403)];
  queue.add(1, [file("big.jpg", DIRECT_BYTES + 1)]);
  await settle();
  assert.deepEqual(service.removed, [100]);
  assert.deepEqual(service.images.map((image) => [image.id, image.bytes]), [[101, DIRECT_BYTES + 1]]);
});

test("a form whose time is over already is not sent", async () => {
  const { service, queue } = setUp();
  service.faults = ["lost"];
  queue.delivery.sleep = async () => {
    service.now += 1_000_000;
  };
  queue.add(1, [file("big.jpg", DIRECT_BYTES + 1)]);
  await settle();
  assert.deepEqual(service.calls.map(([call]) => call), ["reserve", "reserve", "reserve", "sendForm"]);
});

test("what was reserved and not sent is noted, for after a reload", async () => {
  const { service, queue, notes } = setUp({ sleep: () => new Promise(() => {}) });
  service.faults = [null, new NoAnswer()];
  queue.add(1, [file("big.jpg", DIRECT_BYTES + 1)]);
  await settle();
  assert.deepEqual(notes(), [{ productId: 1, imageId: 100, name: "big.jpg", order: 0 }]);
});

test("what is sent with a place of its own takes it, and none of what is chosen beside it", async () => {
  const { service, queue } = setUp();
  service.last = 8;
  queue.add(1, [file("again.jpg")], 3);
  queue.add(1, [file("a.jpg")]);
  await settle();
  assert.deepEqual(service.images.map(({ name, order }) => [name, order]), [["again.jpg", 3], ["a.jpg", 9]]);
});

test("bytes that arrived though no answer did are not sent twice", async () => {
  const { service, queue } = setUp();
  queue.delivery.sleep = async () => {
    service.images[0].status = "ready";
  };
  service.faults = [null, "lost"];
  queue.add(1, [file("big.jpg", DIRECT_BYTES + 1)]);
  await settle();
  assert.equal(service.calls.filter(([call]) => call === "sendForm").length, 1);
  assert.deepEqual(states(queue), ["checking"]);
});

test("a picture that arrived is kept, though its form is over when the lid opens again", async () => {
  const { service, queue, notes } = setUp();
  queue.delivery.sleep = async () => {
    service.now += 1_000_000;
    service.images[0].status = "ready";
  };
  service.faults = [null, "lost"];
  queue.add(1, [file("big.jpg", DIRECT_BYTES + 1)]);
  await settle();
  assert.deepEqual([service.removed, service.images.map(({ id }) => id)], [[], [100]]);
  assert.deepEqual([states(queue), notes()], [["checking"], []]);
});

test("a picture that arrived is kept, though the bucket says that its form is over", async () => {
  const { service, queue } = setUp();
  const sendForm = service.sendForm.bind(service);
  service.sendForm = async (...given) => {
    if (service.images[0].bytes) {
      service.images[0].status = "ready";
      throw problem(403);
    }
    return sendForm(...given);
  };
  service.faults = [null, "lost"];
  queue.add(1, [file("big.jpg", DIRECT_BYTES + 1)]);
  await settle();
  assert.deepEqual([service.removed, states(queue)], [[], ["checking"]]);
});

test("what the service has let go of meanwhile is begun anew", async () => {
  const { service, queue } = setUp();
  queue.delivery.sleep = async () => {
    service.images = [];
  };
  service.faults = [null, new NoAnswer()];
  queue.add(1, [file("big.jpg", DIRECT_BYTES + 1)]);
  await settle();
  assert.deepEqual(service.images.map(({ id, bytes }) => [id, bytes]), [[101, DIRECT_BYTES + 1]]);
});

/** What a page that was loaded again finds noted: a picture of this status was reserved before. */
function reloaded(status) {
  const found = setUp({ left: [{ productId: 1, imageId: 7, name: "big.jpg", order: 0 }] });
  if (status) found.service.images.push({ id: 7, product_id: 1, name: "big.jpg", status });
  return found;
}

for (const status of ["ready", "failed"]) {
  test(`a note is dropped as soon as its picture is seen to be ${status}`, () => {
    const { service, queue, notes } = reloaded(status);
    queue.seen(service.images);
    assert.deepEqual([queue.left, notes()], [[], []]);
  });

  test(`a note that is removed takes no picture with it that is ${status}`, async () => {
    const { service, queue, notes } = reloaded(status);
    await queue.dropNote(queue.left[0]);
    assert.deepEqual([queue.left, notes(), service.removed], [[], [], []]);
  });
}

test("a note stays as long as its picture is pending, and takes that with it", async () => {
  const { service, queue, notes } = reloaded("pending");
  queue.seen(service.images);
  assert.equal(queue.left.length, 1);
  await queue.dropNote(queue.left[0]);
  assert.deepEqual([queue.left, notes(), service.removed], [[], [], [7]]);
});

test("a note whose picture is gone can be removed", async () => {
  const { queue, notes } = reloaded(null);
  await queue.dropNote(queue.left[0]);
  assert.deepEqual([queue.left, notes()], [[], []]);
});

test("a note whose picture cannot be looked at is kept", async () => {
  const { service, queue, notes } = reloaded("ready");
  service.image = async () => {
    throw problem(503);
  };
  await assert.rejects(queue.dropNote(queue.left[0]), { status: 503 });
  assert.deepEqual([queue.left.length, notes().length, service.removed], [1, 1, []]);
});

test("a failed one is tried again with another key, at the same place, and the failed record goes", async () => {
  const { service, queue } = setUp();
  queue.add(1, [file("a.jpg"), file("b.jpg")]);
  await settle();
  queue.seen([{ ...service.images[0], status: "failed", error: "No." }]);
  service.last = 9;
  queue.retry(() => true);
  await settle();
  assert.deepEqual(service.removed, [100]);
  assert.deepEqual(service.images.map(({ name, order }) => [name, order]), [["b.jpg", 1], ["a.jpg", 0]]);
});

test("a file that nothing can be made of is not sent, and says why", async () => {
  const { service, queue } = setUp({
    prepare: async () => {
      throw new Refusal("heic");
    },
  });
  queue.add(1, [file("a.heic")]);
  queue.add(1, [file("empty.jpg", 0)]);
  await settle();
  assert.deepEqual(service.calls, []);
  assert.equal(queue.items[0].failure.code, "heic");
});

test("an empty file is not sent", async () => {
  const { service, queue } = setUp();
  queue.add(1, [file("empty.jpg", 0)]);
  await settle();
  assert.deepEqual([service.calls, queue.items[0].failure.code], [[], "empty"]);
});

test("leaving would lose what waits or is sent, not what has arrived", async () => {
  const { queue } = setUp();
  queue.add(1, [file("a.jpg")]);
  assert.equal(queue.isBusy, true);
  await settle();
  assert.equal(queue.isBusy, false);
});

test("a picture whose bytes are there already is marked and not sent, unless somebody insists", async () => {
  const { service, queue } = setUp({ digest: async (file) => `of ${file.name}` });
  service.images.push({ id: 1, product_id: 1, name: "old.jpg", sha256: "of a.jpg" });
  queue.add(1, [file("a.jpg"), file("b.jpg")]);
  await settle();
  assert.deepEqual(states(queue), ["failed", "checking"]);
  assert.equal(queue.items[0].failure.code, "there");
  queue.retry((item) => !isTwice(item));
  await settle();
  assert.deepEqual(service.images.map(({ name }) => name), ["old.jpg", "b.jpg"]);
  queue.retry(isTwice);
  await settle();
  assert.deepEqual(service.images.map(({ name }) => name), ["old.jpg", "b.jpg", "a.jpg"]);
});

test("whether a picture is there is asked until there is an answer, and not after it was sent", async () => {
  const { service, queue } = setUp({ digest: async (file) => `of ${file.name}` });
  service.faults = [new NoAnswer(), undefined, "lost"];
  queue.add(1, [file("a.jpg")]);
  const asked = [];
  const isThere = service.isThere.bind(service);
  service.isThere = (productId, sha256) => {
    asked.push(sha256);
    return isThere(productId, sha256);
  };
  await settle();
  assert.deepEqual(states(queue), ["checking"]);
  assert.equal(asked.length, 2);
  assert.equal(service.images.length, 1);
});
