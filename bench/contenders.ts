import { readdir } from "node:fs/promises";
import type { NamedContender } from "./contender.ts";

const folder = new URL("contenders/", import.meta.url);

/** The names of all contenders: the files of their folder. */
export async function contenderNames(): Promise<string[]> {
  const files = await readdir(folder);
  return files.filter((file) => !file.endsWith(".d.ts")).map((file) => file.replace(/\.ts$/, ""));
}

/** Imports a contender, and with it the packages it measures. */
export async function contenderNamed(name: string): Promise<NamedContender> {
  const { contender } = await import(new URL(`${name}.ts`, folder).href);
  return { name, ...contender };
}
