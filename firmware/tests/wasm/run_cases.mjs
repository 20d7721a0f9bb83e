// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// Runs a module of cases (cases.py) on MicroPython's wasm build: node run_cases.mjs PACKAGE MODULE
// FOLDER... The folders' .py and .json files are copied into the interpreter, in this order on its
// path; the first line printed tells the interpreter, the last one how many cases failed.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const [packageFolder, module, ...folders] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(join(packageFolder, "micropython.mjs")));
const micropython = await loadMicroPython({
  heapsize: 16 * 1024 * 1024,
  linebuffer: true,
  stdout: (line) => console.log(line),
});

function copy(from, to) {
  micropython.FS.mkdirTree(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory() && !entry.name.startsWith("__") && !entry.name.startsWith(".")) {
      copy(join(from, entry.name), `${to}/${entry.name}`);
    } else if (/\.(py|json)$/.test(entry.name)) {
      micropython.FS.writeFile(`${to}/${entry.name}`, readFileSync(join(from, entry.name)));
    }
  }
}

const paths = folders.map((folder, number) => {
  const to = `/${number}-${basename(folder)}`;
  copy(folder, to);
  return to;
});
micropython.runPython(`
import sys
print(sys.implementation[0], sys.implementation[1][:2], sys.maxsize)
sys.path[:0] = ${JSON.stringify(paths)}
import cases
print("failed:", cases.main([], ${JSON.stringify(module)}))
`);
