/**
 * Runs what `npm run check` promises: types, lint and import rules, unused code, the package as published, the sizes of core and client.
 *
 * Every step runs even when an earlier one failed, so that one run names all there is to mend.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/**
 * Core goes into browsers, workers and cold-starting functions, where every kilobyte is waiting time: the most that its entry may weigh,
 * in bytes, minified and gzipped.
 */
const CORE_LIMIT = 15_000;
/** The most that core may weigh with all that it loads later, for whoever cannot `import()`: a bound on growth (`docs/decisions/core-size.md`). */
const WHOLE_CORE_LIMIT = 25_000;
/** The client is a part of pages that load over slow lines. In bytes, minified and gzipped. */
const CLIENT_LIMIT = 3_000;

const root = resolve(import.meta.dirname, "..");
const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);

function run(command: string, args: readonly string[], cwd = root): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit", env: { ...process.env, PATH: path } });
  if (error) throw error;
  if (status !== 0) throw new Error(`${[command, ...args].join(" ")} failed`);
}

/** Packs what npm would publish and uses it as a stranger would: publint, then every entry imported by strict TypeScript and by Node. */
async function checkPackage(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "evenant-package-"));
  try {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const { name, version, exports } = manifest;
    for (const field of ["dependencies", "optionalDependencies"])
      if (manifest[field] !== undefined) throw new Error(`package.json has ${field}: whoever installs ${name} gets them too`);
    run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder]);
    const tarball = join(folder, `${name}-${version}.tgz`);
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer }, strict: true });
    if (messages.length > 0) throw new Error(messages.map((message) => `publint: ${formatMessage(message, pkg)}`).join("\n"));

    const installed = join(folder, "node_modules", name);
    mkdirSync(installed, { recursive: true });
    run("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
    symlinkSync(join(root, "node_modules", "@types"), join(folder, "node_modules", "@types"));
    const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
    const imports = entries.map((entry, index) => `import * as entry${index} from "${entry.replace(".", name)}";`);
    const uses = entries.map(
      (_, index) => `if (Object.keys(entry${index}).length === 0) throw new Error("an entry exports nothing");`,
    );
    writeFileSync(join(folder, "stranger.mts"), [...imports, ...uses, ""].join("\n"));
    run("tsc", ["--strict", "--module", "nodenext", "--target", "es2022", "--types", "node", "--noEmit", "stranger.mts"], folder);
    run("node", ["stranger.mts"], folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Bundles an entry for no platform at all, where an import of any module that is not ours would remain and show.
 *
 * What an application waits for is what it enters by; what is imported in a function (an operator's moves, the work of a reader) comes when
 * it is asked for. Service workers cannot `import()`: a bundle for them holds everything, so that must stand alone too.
 */
async function checkSize(name: string, entry: string, limit: number, wholeLimit: number): Promise<void> {
  const whole = await bundle(entry);
  if (whole.imports.length > 0)
    throw new Error(`${name} imports ${whole.imports.join(", ")}; it must run on every platform and so import nothing`);
  const first = await bundle(entry, [leaveForLater]);
  console.log(
    `${name} is ${first.bytes} of at most ${limit} bytes gzipped, ${whole.bytes} of ${wholeLimit} with all that it loads later`,
  );
  const excess = Math.max(first.bytes - limit, whole.bytes - wholeLimit);
  if (excess > 0) throw new Error(`${name} is ${excess} bytes too large`);
}

/** Leaves out what is imported in a function. */
const leaveForLater: Plugin = {
  name: "leave for later",
  setup: ({ onResolve }) =>
    onResolve({ filter: /.*/ }, ({ kind, path: module }) =>
      kind === "dynamic-import" ? { path: module, external: true } : undefined,
    ),
};

interface Bundle {
  /** Paths of modules that are not in it. */
  readonly imports: readonly string[];
  /** Minified and gzipped. */
  readonly bytes: number;
}

async function bundle(entry: string, plugins: Plugin[] = []): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    packages: "external",
    external: ["node:*"],
    outfile: "bundle.js",
    plugins,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map((imported) => imported.path));
  const bytes = outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
  return { imports, bytes };
}

const steps: Record<string, () => void | Promise<void>> = {
  types: () => run("tsc", ["-b"]),
  lint: () => run("biome", ["ci", "--error-on-warnings", `--colors=${process.stdout.isTTY ? "force" : "off"}`]),
  // Hints are no errors: what they say of bench depends on whether its own packages are installed.
  unused: () => run("knip", []),
  package: checkPackage,
  "core size": () => checkSize("core", "core/index.ts", CORE_LIMIT, WHOLE_CORE_LIMIT),
  "client size": () => checkSize("client", "functions/client/index.ts", CLIENT_LIMIT, CLIENT_LIMIT),
};

const failures: string[] = [];
for (const [title, step] of Object.entries(steps)) {
  console.log(`\n--- ${title}`);
  try {
    await step();
  } catch (error) {
    failures.push(title);
    console.error(error instanceof Error ? error.message : error);
  }
}
console.log(failures.length === 0 ? "\nThe check passed." : `\nThe check failed: ${failures.join(", ")}.`);
process.exitCode = failures.length === 0 ? 0 : 1;
