import assert from "node:assert/strict";
import { test } from "node:test";

import { chooseLanguage } from "../../../page/public/texts.js";
import { LONGEST, Polling } from "../../../page/public/polling.js";

function setUp({ news = false, waiting = false } = {}) {
  const planned = [];
  const state = { news, waiting, looks: 0 };
  const polling = new Polling(
    async () => {
      state.looks += 1;
      return state.news;
    },
    () => state.waiting,
    (run, milliseconds) => planned.push({ run, milliseconds }),
  );
  return { polling, planned, state };
}

async function turns(planned, count) {
  for (let turn = 0; turn < count; turn += 1) await planned.at(-1).run();
}

for (const [waiting, longest] of [[true, LONGEST.waiting], [false, LONGEST.idle]]) {
  test(`without news it asks ever more slowly${waiting ? ", sooner while something is expected" : ""}`, async () => {
    const { polling, planned } = setUp({ waiting });
    polling.soon();
    await turns(planned, 20);
    const delays = planned.map((each) => each.milliseconds);
    assert.deepEqual(delays, delays.toSorted((one, other) => one - other));
    assert.equal(delays.at(-1), longest);
  });
}

test("news let it ask soon again", async () => {
  const { polling, planned, state } = setUp();
  polling.soon();
  await turns(planned, 10);
  state.news = true;
  await turns(planned, 1);
  assert.equal(planned.at(-1).milliseconds, 1_000);
});

test("while the page is hidden nothing is asked, and at once when it shows again", async () => {
  const { polling, planned, state } = setUp();
  polling.soon();
  polling.hide(true);
  await turns(planned, 1);
  assert.equal(state.looks, 0);
  polling.hide(false);
  assert.equal(state.looks, 1);
});

test("the language is the first that the browser prefers and the page speaks", () => {
  assert.equal(chooseLanguage(["fr-FR", "de-AT", "en"]), "de");
  assert.equal(chooseLanguage(["EN-us"]), "en");
  assert.equal(chooseLanguage(["fr"]), "en");
  assert.equal(chooseLanguage([]), "en");
});
