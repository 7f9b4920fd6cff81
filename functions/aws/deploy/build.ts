import { rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { ENTRIES } from "./lambda-functions.ts";
import { CODE, TEMPLATE, templateText } from "./template.ts";

const FOLDER = join(import.meta.dirname, "..");
/** Where the template says that the bundle lies. */
export const BUNDLE = join(FOLDER, CODE);

/**
 * Bundles the functions into a folder, one file for each and chunks that they share, and gives the size of all in bytes.
 *
 * With the SDK, although Lambda has one: so that what was tested is what runs, and because the bundle starts faster. What a start does not
 * need (other credentials than Lambda's) is in chunks of its own, which stay unread.
 */
export async function bundle(folder: string): Promise<number> {
  rmSync(folder, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: ENTRIES.map((entry) => join(FOLDER, `${entry}.ts`)),
    bundle: true,
    splitting: true,
    minify: true,
    // Handlers and aggregates go by the names of their classes: those are stored.
    keepNames: true,
    format: "esm",
    platform: "node",
    target: "node22",
    mainFields: ["module", "main"],
    legalComments: "none",
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    metafile: true,
    logLevel: "warning",
  });
  const outputs = Object.values(metafile.outputs);
  const missing = outputs.flatMap(({ imports }) => imports).filter(({ external, path }) => external === true && !isBuiltin(path));
  if (missing.length > 0) throw new Error(`the bundle lacks ${missing.map(({ path }) => path).join(", ")}`);
  return outputs.reduce((sum, { bytes }) => sum + bytes, 0);
}

if (import.meta.main) {
  writeFileSync(TEMPLATE, templateText());
  console.log(`${TEMPLATE} is written; ${BUNDLE} holds ${await bundle(BUNDLE)} bytes.`);
}
