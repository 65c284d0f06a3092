import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, NoAnswer, Problem } from "../../../page/public/client.js";

function setUp(response, { key = "pik_1" } = {}) {
  const asked = [];
  let unauthorized = 0;
  const client = new Client({
    fetch: async (url, options) => {
      asked.push({ url, ...options });
      if (response instanceof Error) throw response;
      return response;
    },
    post: async (url, sending) => {
      asked.push({ url, ...sending });
      return response;
    },
    key: () => key,
    onUnauthorized: () => (unauthorized += 1),
  });
  return { client, asked, unauthorized: () => unauthorized };
}

const json = (body, init) => new Response(JSON.stringify(body), init);

test("every request bears the key, in its header and nowhere else", async () => {
  const { client, asked } = setUp(json({ results: [], next: null }));
  await client.products({ q: "red shoe", after: "7" });
  assert.equal(asked[0].url, "/api/products?limit=50&after=7&q=red+shoe");
  assert.equal(asked[0].headers.Authorization, "Token pik_1");
});

test("the next page of products is known by where it begins", async () => {
  const { client } = setUp(json({ results: [], next: "https://shop.example/api/products?limit=50&after=99" }));
  assert.equal((await client.products({})).next, "99");
});

test("a page that is still the same is no news", async () => {
  const { client, asked } = setUp(new Response(null, { status: 304, headers: { ETag: '"a"' } }));
  assert.equal(await client.images(1, { etag: '"a"' }), null);
  assert.equal(asked[0].headers["If-None-Match"], '"a"');
});

test("a change is made on the condition of what was seen", async () => {
  const { client, asked } = setUp(json({ id: 2 }, { headers: { ETag: '"b"' } }));
  assert.equal((await client.change(1, 2, { alt_text: "x" }, '"a"')).etag, '"b"');
  assert.deepEqual([asked[0].method, asked[0].headers["If-Match"], asked[0].body], ["PATCH", '"a"', '{"alt_text":"x"}']);
});

test("an error is told in the words of the service, with its code and how long to wait", async () => {
  const body = { detail: "Too many.", code: "throttled" };
  const { client } = setUp(json(body, { status: 429, headers: { "Retry-After": "3" } }));
  await assert.rejects(client.image(1, 2), (error) => {
    assert.ok(error instanceof Problem);
    assert.deepEqual([error.message, error.code, error.status, error.retryAfter], ["Too many.", "throttled", 429, 3]);
    return true;
  });
});

test("an error that is no JSON is told as it came", async () => {
  const { client } = setUp(new Response("Request Too Long", { status: 413 }));
  await assert.rejects(client.image(1, 2), { message: "Request Too Long", status: 413, retryAfter: null });
});

test("an error of the bucket is told by its message", async () => {
  const text = "<Error><Code>EntityTooLarge</Code><Message>Your proposed upload is too large.</Message></Error>";
  const { client } = setUp({ status: 400, header: () => null, text });
  const watching = { onProgress: () => {}, onSent: () => {} };
  const sent = client.sendForm({ url: "https://bucket", fields: {} }, new File(["x"], "a.jpg"), watching);
  await assert.rejects(sent, { message: "Your proposed upload is too large." });
});

test("no answer is another thing than an error", async () => {
  const { client } = setUp(new TypeError("Failed to fetch"));
  await assert.rejects(client.image(1, 2), NoAnswer);
});

test("a key that is not accepted any more is asked for", async () => {
  const { client, unauthorized } = setUp(json({}, { status: 401 }));
  await assert.rejects(client.image(1, 2), Problem);
  assert.equal(unauthorized(), 1);
});

test("a late refusal of the key before tells nothing of the present one", async () => {
  let key = "pik_1";
  let unauthorized = 0;
  const changing = (answer) => async () => {
    key += "1";
    return answer;
  };
  const client = new Client({
    fetch: changing(json({}, { status: 401 })),
    post: changing({ status: 401, header: () => null, text: "{}" }),
    key: () => key,
    onUnauthorized: () => (unauthorized += 1),
  });
  await assert.rejects(client.image(1, 2), Problem);
  await assert.rejects(client.send(1, new File(["x"], "a.jpg"), {}, "key-1", {}), Problem);
  assert.equal(unauthorized, 0);
});

test("a direct upload that is refused for its key asks for another one", async () => {
  const { client, unauthorized } = setUp({ status: 401, header: () => null, text: "{}" });
  await assert.rejects(client.send(1, new File(["x"], "a.jpg"), {}, "key-1", {}), Problem);
  assert.equal(unauthorized(), 1);
});

test("a picture is sent with its fields before it and with its own key", async () => {
  const answer = { status: 201, header: () => null, text: '{"id": 5}' };
  const { client, asked } = setUp(answer);
  const watching = { onProgress: () => {}, onSent: () => {} };
  const image = await client.send(1, new File(["x"], "ü.jpg"), { order: "3" }, "key-1", watching);
  assert.equal(image.id, 5);
  assert.deepEqual([...asked[0].body.keys()], ["order", "image"]);
  assert.equal(asked[0].headers["Idempotency-Key"], "key-1");
});

test("the bucket is told no key", async () => {
  const { client, asked } = setUp({ status: 204, header: () => null, text: "" });
  const form = { url: "https://bucket", fields: { policy: "p" } };
  await client.sendForm(form, new File(["x"], "a.jpg"), { onProgress: () => {}, onSent: () => {} });
  assert.deepEqual(asked[0].headers, {});
  assert.deepEqual([...asked[0].body.keys()], ["policy", "file"]);
});

test("what is gone already counts as removed", async () => {
  const { client } = setUp(json({}, { status: 404 }));
  await client.remove(1, 2);
});

test("a file is looked for by its SHA-256, and taken for new where a gallery is too large to look", async () => {
  const there = setUp(json({ count: 1, next: null, results: [] }));
  assert.equal(await there.client.isThere(7, "ab"), true);
  assert.equal(there.asked[0].url, "/api/products/7/images?limit=1&status=ready&sha256=ab");
  assert.equal(await setUp(json({ count: 0 })).client.isThere(7, "ab"), false);
  assert.equal(await setUp(json({ code: "invalid_fields" }, { status: 400 })).client.isThere(7, "ab"), false);
  await assert.rejects(setUp(json({}, { status: 503 })).client.isThere(7, "ab"), Problem);
});
