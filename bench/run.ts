// npm run bench [-- part] [options and names of the part]: measures, prints, and writes what was measured in full into docs/benchmarks.md.
import { writePart } from "./page.ts";
import type { Part } from "./part.ts";

/** What can be measured on its own, in the order of the page; each file says what its options are. */
const parts: Readonly<Record<string, () => Promise<{ readonly measure: Part }>>> = {
  peers: () => import("./peers.ts"),
  readers: () => import("./readers.ts"),
  firestore: () => import("./firestore.ts"),
  dynamodb: () => import("./dynamodb.ts"),
  load: () => import("./http-load.ts"),
};

const [first = "", ...rest] = process.argv.slice(2);
const isNamed = Object.hasOwn(parts, first);
const name = isNamed ? first : "peers";
const { measure } = await (parts[name] as (typeof parts)[string])();
const { text, isWhole } = await measure(isNamed ? rest : process.argv.slice(2));
console.log(`\n${text}`);
if (isWhole) await writePart(Object.keys(parts), name, text);
