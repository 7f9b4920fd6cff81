import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { build } from "esbuild";

/** One folder to deploy. */
export interface Deployment {
  /** `gcloud`: for functions-framework; `firebase`: for Firebase's SDK. */
  readonly name: "gcloud" | "firebase";
  /** Where it is made; what is there is deleted. */
  readonly folder: string;
  /** The folder whose `.env` files go with it; default: none. */
  readonly variables?: string;
}

/** What was made. */
export interface Built {
  /** The size of the bundle, in bytes. */
  readonly bytes: number;
}

const ROOT = join(import.meta.dirname, "..", "..");
const ENTRY = { gcloud: "index.ts", firebase: "firebase.ts" } as const;
const SDK = { gcloud: "@google-cloud/functions-framework", firebase: "firebase-functions" } as const;
/** The Node of Google's runtime. */
const NODE = "22";

/**
 * Makes a folder that can be deployed: our code in one file, and a package.json that lists the SDKs, which Google installs.
 *
 * The SDKs stay out of the bundle, because they are loaded when they are needed, and read files beside themselves.
 */
export async function buildGoogle({ name, folder, variables }: Deployment): Promise<Built> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(ROOT, "functions", "gcp", ENTRY[name])],
    outfile: join(folder, "index.js"),
    bundle: true,
    minify: true,
    // Handlers and aggregates go by the names of their classes: those are stored.
    keepNames: true,
    sourcemap: "linked",
    format: "esm",
    platform: "node",
    target: `node${NODE}`,
    external: ["firebase-admin", "firebase-functions", "@google-cloud/*"],
    metafile: true,
  });
  const { devDependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const sdks = ["firebase-admin", "@google-cloud/firestore", SDK[name]];
  const manifest = {
    name: `evenant-${name}`,
    private: true,
    type: "module",
    main: "index.js",
    engines: { node: NODE },
    dependencies: Object.fromEntries(sdks.map((sdk) => [sdk, devDependencies[sdk]])),
  };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  if (variables !== undefined) await copyVariables(variables, folder);
  await writeFile(join(folder, ".gcloudignore"), "node_modules\n*.map\n.env*\n");
  // For the emulators, which run the folder in place; Google's uploads leave node_modules out.
  await symlink(relative(folder, join(ROOT, "node_modules")), join(folder, "node_modules"));
  const output = Object.entries(metafile.outputs).find(([path]) => path.endsWith("index.js"));
  return { bytes: output?.[1].bytes ?? 0 };
}

/** Firebase looks for variables in what it deploys. */
async function copyVariables(from: string, to: string): Promise<void> {
  const files = (await readdir(from)).filter((file) => /^\.env(\.[\w-]+)?$/.test(file));
  for (const file of files) await copyFile(join(from, file), join(to, file));
}
