// Saves the programs of a page, so that they run as they are printed: each js or ts block, under the name in its first line.
//
//     node blocks.mjs PAGE FOLDER

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [page, folder] = process.argv.slice(2);
const text = readFileSync(page, "utf8");
for (const [, block] of text.matchAll(/^```(?:js|ts)\b.*\n([^]*?)^```$/gm)) {
  const name = /^\/\/ ([\w.-]+)\n/.exec(block)?.[1];
  if (name === undefined)
    throw new Error(`${page}: the first line of a program must be its name, such as // app.mjs, not\n${block}`);
  writeFileSync(join(folder, name), block);
  console.log(name);
}
