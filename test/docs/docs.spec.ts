import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** A block of TypeScript that a document shows, and what it says that the block prints. */
interface CodeBlock {
  readonly document: string;
  readonly line: number;
  readonly code: string;
  readonly isRun: boolean;
  readonly prints: string | undefined;
}

const SOURCES: Readonly<Record<string, string>> = {
  evenant: "core/index.ts",
  "evenant/memory": "adapters/memory/index.ts",
  "evenant/sqlite": "adapters/sqlite/index.ts",
  "evenant/dynamodb": "adapters/dynamodb/index.ts",
  "evenant/firestore": "adapters/firestore/index.ts",
  "evenant/opentelemetry": "adapters/opentelemetry/index.ts",
  "evenant/reactions": "core/reactions.ts",
  "evenant/publishing": "core/publishing.ts",
  "evenant/kafka": "adapters/kafka/index.ts",
  "evenant/pubsub": "adapters/pubsub/index.ts",
  "evenant/eventbridge": "adapters/eventbridge/index.ts",
  "evenant/sns": "adapters/sns/index.ts",
  "evenant/webhook": "adapters/webhook/index.ts",
  "evenant/client": "functions/client/index.ts",
};

describe("the code in the READMEs and docs/", () => {
  let folder = "";
  const blocks: CodeBlock[] = [];

  before(async function () {
    this.timeout(60_000);
    for (const document of await documents()) blocks.push(...blocksOf(document, await readFile(join(root, document), "utf8")));
    folder = await mkdtemp(join(root, ".docs-"));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it("is there", () => {
    expect(blocks.filter(({ isRun }) => isRun)).not.to.have.length(0);
  });

  it("shows newcomers a first aggregate and view in at most 40 lines", () => {
    const first = blocks.find(({ document, isRun }) => document === "README.md" && isRun);
    expect(first?.code.trimEnd().split("\n").length).to.be.at.most(40);
  });

  it("compiles under the strict flags", async function () {
    this.timeout(60_000);
    const types = join(folder, "types");
    await mkdir(types);
    for (const [index, { code, document, line }] of blocks.entries()) {
      await writeFile(join(types, `block-${index}.ts`), `// ${document}:${line}\n${withSources(code, "../..")}\nexport {};\n`);
    }
    const config = {
      extends: "../../tsconfig.base.json",
      compilerOptions: {
        composite: false,
        noEmit: true,
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: false,
        types: ["node"],
      },
      include: ["*.ts"],
    };
    await writeFile(join(types, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const outcome = await run(process.execPath, [compiler, "-p", types]).catch((error: { stdout: string }) => error);
    expect(outcome.stdout).to.equal("");
  });

  it("prints what the documents say", async function () {
    this.timeout(60_000);
    for (const { code, document, line, isRun, prints } of blocks) {
      if (!isRun) continue;
      const workplace = await mkdtemp(join(folder, "run-"));
      await writeFile(join(workplace, "block.ts"), withSources(code, root));
      const { stdout } = await run(process.execPath, ["block.ts"], { cwd: workplace, timeout: 30_000 });
      if (prints !== undefined) expect(stdout.trim(), `${document}:${line}`).to.equal(prints);
    }
  });
});

describe("the links in the READMEs and docs/", () => {
  it("lead to files and headings that are there", async () => {
    const broken: string[] = [];
    for (const document of [...(await documents()), "CONTRIBUTING.md", "CHANGELOG.md"]) {
      const text = await readFile(join(root, document), "utf8");
      for (const [, link = "", heading] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
        const path = link === "" ? join(root, document) : join(root, document, "..", link);
        const isThere = await stat(path).catch(() => undefined);
        if (!isThere || (heading !== undefined && !(await headingsOf(path)).includes(heading)))
          broken.push(`${document}: ${link}${heading === undefined ? "" : `#${heading}`}`);
      }
    }
    expect(broken).to.deep.equal([]);
  });
});

describe("the guarantees in the README", () => {
  it("each name a test that is there", async () => {
    const text = await readFile(join(root, "README.md"), "utf8");
    const table = text.split("| --- | --- |\n")[1]?.split("\n\n") ?? [];
    const [rows = "", handlers = ""] = table;
    const bullets = text.slice(text.indexOf("Evenant guarantees:"), text.indexOf("[All guarantees"));
    const guarantees = [...rows.split("\n"), handlers, ...bullets.split("\n- ").slice(1)];
    expect(guarantees.length).to.be.above(30);
    for (const guarantee of guarantees) expect(guarantee).to.match(/\]\(test\/[^)]+\)/);
  });
});

async function documents(): Promise<readonly string[]> {
  const docs = await readdir(join(root, "docs"), { recursive: true }).catch(() => []);
  const readmes = ["README.md", "functions/README.md", "examples/pwa-backend/README.md"];
  return [...readmes, ...docs.filter((name) => name.endsWith(".md")).map((name) => join("docs", name))];
}

/** The headings of a document, as GitHub spells them in links. */
async function headingsOf(path: string): Promise<readonly string[]> {
  const text = (await readFile(path, "utf8")).replaceAll(/^```.*?^```$/gms, "");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Finds the blocks fenced as `ts`; one fenced as `ts run` is run, and a block fenced as `text` after it is what it prints. */
function blocksOf(document: string, text: string): readonly CodeBlock[] {
  const fences = [...text.matchAll(/^```(\w+)( run)?\n(.*?)^```$/gms)];
  return fences.flatMap((fence, index) => {
    if (fence[1] !== "ts") return [];
    const following = fences[index + 1];
    const line = text.slice(0, fence.index).split("\n").length;
    const prints = following?.[1] === "text" ? following[3]?.trim() : undefined;
    return [{ document, line, code: fence[3] ?? "", isRun: fence[2] !== undefined, prints }];
  });
}

/** Points the package's names to its sources, so that what is shown is what is tested. */
function withSources(code: string, to: string): string {
  return code.replace(/from "(evenant(?:\/\w+)?)"/g, (whole, name: string) => {
    const source = SOURCES[name];
    return source === undefined ? whole : `from "${to}/${source}"`;
  });
}
