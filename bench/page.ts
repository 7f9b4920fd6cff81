import { mkdir, readFile, writeFile } from "node:fs/promises";

const docs = new URL("../docs/", import.meta.url);
const page = new URL("benchmarks.md", docs);
const HEAD = "# Benchmarks\n\nWritten by `npm run bench`, part by part; what is measured, and how, is in `bench/`.";

/** Puts one part into docs/benchmarks.md and leaves the others as they are; `order` is the order of all parts. */
export async function writePart(order: readonly string[], name: string, text: string): Promise<void> {
  const parts = partsOf(await readFile(page, "utf8").catch(() => ""));
  parts.set(name, text);
  const known = order.filter((part) => parts.has(part)).map((part) => `${markOf(part)}\n\n${parts.get(part)?.trim()}`);
  await mkdir(docs, { recursive: true });
  await writeFile(page, `${[HEAD, ...known].join("\n\n")}\n`);
}

function partsOf(text: string): Map<string, string> {
  const [, ...pieces] = text.split(/^<!-- part: ([a-z]+) -->$/m);
  const names = pieces.filter((_, index) => index % 2 === 0);
  return new Map(names.map((name, index) => [name, pieces[index * 2 + 1] ?? ""]));
}

function markOf(name: string): string {
  return `<!-- part: ${name} -->`;
}
