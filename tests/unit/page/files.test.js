import assert from "node:assert/strict";
import { test } from "node:test";

import { chosenFiles } from "../../../page/public/files.js";

/** @param {string} path  within the chosen folder; of a file that was chosen alone it is empty */
const file = (path, name = path) => Object.assign(new File([], name), { webkitRelativePath: path });

test("the files of a folder stand by name, numbers by their value, each folder whole", () => {
  const paths = ["all/10.jpg", "all/9.jpg", "all/red shoe/1.jpg", "all/red/2.jpg", "all/red/1.jpg", "all/red-2/1.jpg"];
  const sorted = ["all/9.jpg", "all/10.jpg", "all/red/1.jpg", "all/red/2.jpg", "all/red shoe/1.jpg", "all/red-2/1.jpg"];
  assert.deepEqual(chosenFiles(paths.map((path) => file(path))).map(({ name }) => name), sorted);
});

test("files that were chosen one by one stay as they are", () => {
  const names = ["b.jpg", "a.jpg", "10.jpg", "9.jpg"];
  assert.deepEqual(chosenFiles(names.map((name) => file("", name))).map(({ name }) => name), names);
});
