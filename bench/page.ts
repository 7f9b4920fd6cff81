import { readFile, writeFile } from "node:fs/promises";

const file = new URL("../docs/benchmarks.md", import.meta.url);
const HEAD = "# Benchmarks\n\nWritten by `npm run bench`; each section says by which run.\n\n";

/** Puts a report under its own heading in `docs/benchmarks.md`; what stands under the other ones stays. The text has no `## ` of its own. */
export async function writeSection(title: string, text: string): Promise<void> {
  const page = await readFile(file, "utf8").catch(() => HEAD);
  const [head = "", ...sections] = page.trimEnd().split(/^(?=## )/m);
  const place = sections.findIndex((section) => section.startsWith(`## ${title}\n`));
  sections.splice(place < 0 ? sections.length : place, 1, `## ${title}\n\n${text}`);
  await writeFile(file, `${[head, ...sections].map((part) => part.trim()).join("\n\n")}\n`);
}
