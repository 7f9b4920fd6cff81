import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

/** A file that the page is made of. */
export interface Asset {
  readonly type: string;
  readonly text: string;
}

const HERE = import.meta.dirname;

/** Reads and bundles what the browser loads, by path; once, at start. The service worker's bundle holds Evenant's core. */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const page = (name: string) => readFile(join(HERE, "page", name), "utf8");
  return new Map([
    ["/", { type: "text/html; charset=utf-8", text: await page("index.html") }],
    ["/page.css", { type: "text/css; charset=utf-8", text: await page("page.css") }],
    ["/manifest.webmanifest", { type: "application/manifest+json", text: await page("manifest.webmanifest") }],
    ["/icon.svg", { type: "image/svg+xml", text: await page("icon.svg") }],
    ["/page.js", { type: "text/javascript; charset=utf-8", text: await bundled("page/page.ts") }],
    ["/service-worker.js", { type: "text/javascript; charset=utf-8", text: await bundled("worker/service-worker.ts") }],
  ]);
}

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
  });
  return outputFiles.map(({ text }) => text).join("");
}
