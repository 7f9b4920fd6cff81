import { defaultPlatform, type ExportRecord, TenantError, ValidationError } from "../../core/index.ts";
import { ImportOrder, importedCursor } from "../../core/store-kit.ts";
import { parkedFields, parkedPath } from "./cursor-writes.ts";
import type { Database, Write } from "./database.ts";
import { eventFields, receiptFields } from "./documents.ts";
import { CODE, storeError } from "./failures.ts";
import { eventKey, idKey, lifeKey, openKey, pageKey, pathOf, workKey } from "./keys.ts";
import { logFields } from "./log-document.ts";
import { PAGE } from "./logs.ts";
import { RECEIPT_LIFE } from "./prepare.ts";
import { purge } from "./purge.ts";
import { Recent } from "./recent.ts";
import type { Registry } from "./registry.ts";
import { threadFields } from "./thread-document.ts";

/** The most documents and bytes in one batch of an import. */
const BATCH = 200;
const BATCH_BYTES = 2_500_000;
/** How many aggregates' versions are kept in mind; those of others are looked up. */
const VERSIONS_KEPT = 100_000;

type CommitRecord = Extract<ExportRecord, { kind: "commit" }>;

/** Fills a tenant; see `ITenants.import`. */
export async function importTenant(
  database: Database,
  registry: Registry,
  now: () => number,
  tenant: string,
  records: AsyncIterable<ExportRecord>,
): Promise<void> {
  const work = defaultPlatform.newId();
  let [life, erasedAt] = [1, 0];
  let needsPurge = false;
  await registry.change(tenant, async (entry, entryWrite) => {
    if (entry?.status === "open" || entry?.status === "suspended") throw TenantError.inUse(tenant, entry.status);
    if (entry?.work === work) return undefined;
    erasedAt = entry?.erasedAt ?? 0;
    life = (entry?.life ?? 0) + 1;
    needsPurge = Boolean(entry?.work);
    return [
      entryWrite({ status: "importing", life, work, erasedAt }),
      { kind: "create", path: pathOf(tenant, "log", workKey(work)), fields: {} },
      ...(entry?.work ? [{ kind: "delete", path: pathOf(tenant, "log", workKey(entry.work)) } as const] : []),
    ];
  });
  const filling = new Import(database, registry, tenant, work, { life, erasedAt }, now() + RECEIPT_LIFE);
  if (needsPurge && !(await purge(database, tenant, work))) await filling.isVoid();
  const order = new ImportOrder();
  for await (const record of records) await filling.take(order.accept(record));
  order.finish();
  await filling.finish();
}

/** One import under way. Every batch is written on condition that the import's mark is there: another import, or an erasure, takes it away. */
class Import {
  readonly #database: Database;
  readonly #registry: Registry;
  readonly #tenant: string;
  readonly #work: string;
  readonly #life: number;
  readonly #firstFence: number;
  readonly #expireAt: number;
  readonly #versions = new Recent<number>(VERSIONS_KEPT);
  #writes: Write[] = [];
  #commits: CommitRecord[] = [];
  #paths = new Set<string>();
  #bytes = 0;
  #base = 0;
  #refs: string[] = [];

  constructor(
    database: Database,
    registry: Registry,
    tenant: string,
    work: string,
    { life, erasedAt }: { readonly life: number; readonly erasedAt: number },
    expireAt: number,
  ) {
    this.#database = database;
    this.#registry = registry;
    this.#tenant = tenant;
    this.#work = work;
    this.#life = life;
    this.#firstFence = erasedAt;
    this.#expireAt = expireAt;
  }

  async take(record: ExportRecord): Promise<void> {
    if (record.kind === "commit") return this.#append(record);
    if (record.kind === "thread") {
      const cursors = Object.fromEntries(
        Object.entries(record.cursors).map(([handler, position]) => [handler, importedCursor(position)]),
      );
      const state = { fence: this.#firstFence, leasedUntil: 0, cursors, revision: defaultPlatform.newId() };
      await this.#add({ kind: "set", path: pathOf(this.#tenant, "threads", record.thread), fields: threadFields(state) }, 500);
    }
    if (record.kind === "parked") {
      const { thread, parked } = record;
      await this.#add({ kind: "set", path: parkedPath(this.#tenant, thread, parked), fields: parkedFields(parked) }, 1_500);
    }
  }

  async finish(): Promise<void> {
    await this.#flush();
    const [tenant, life] = [this.#tenant, this.#life];
    const log = logFields(life, this.#firstFence, this.#base, this.#refs);
    await this.#registry.change(tenant, async (entry, entryWrite) => {
      if (entry?.status === "open" && entry.life === life) return undefined;
      if (entry?.work !== this.#work) throw new TenantError(tenant, entry?.status ?? "absent");
      return [
        entryWrite({ status: "open", life, erasedAt: entry.erasedAt }),
        { kind: "create", path: pathOf(tenant, "log", openKey(life)), fields: log },
        { kind: "create", path: pathOf(tenant, "log", lifeKey(life)), fields: {} },
        { kind: "delete", path: pathOf(tenant, "log", workKey(this.#work)), if: { exists: true } },
      ];
    });
  }

  /** Throws, because another import began or the tenant was erased. */
  async isVoid(): Promise<never> {
    throw new TenantError(this.#tenant, await this.#registry.status(this.#tenant));
  }

  async #append(record: CommitRecord): Promise<void> {
    const { commit, position } = record;
    const { type, id, version, receipt } = commit;
    const next = await this.#nextVersion(type, id, version);
    if (version !== next) this.#refuse(position, `has version ${version}, not ${next}`);
    const ref = eventKey(type, id, version);
    const fields = eventFields(commit);
    await this.#add(
      { kind: "create", path: pathOf(this.#tenant, "events", ref), fields },
      Buffer.byteLength(fields.data) + 1_000,
    );
    if (receipt !== undefined) {
      const path = pathOf(this.#tenant, "receipts", idKey(receipt.commandId));
      if (this.#paths.has(path)) this.#refuse(position, `repeats the commandId ${receipt.commandId}`);
      await this.#add({ kind: "create", path, fields: receiptFields(receipt, this.#expireAt) }, 1_500);
    }
    this.#commits.push(record);
    this.#versions.set(`${type}/${id}`, version);
    this.#refs.push(ref);
    if (this.#refs.length < 2 * PAGE) return;
    const page = this.#refs.splice(0, PAGE);
    await this.#add({ kind: "create", path: pathOf(this.#tenant, "log", pageKey(this.#base + 1)), fields: { page } }, 50_000);
    this.#base += PAGE;
  }

  /** The version that an aggregate's commit must have; looked up where the aggregate is not in mind. */
  async #nextVersion(type: string, id: string, version: number): Promise<number> {
    const last = this.#versions.get(`${type}/${id}`);
    if (last !== undefined || version === 0) return (last ?? -1) + 1;
    await this.#flush();
    const [before] = await this.#database.get([pathOf(this.#tenant, "events", eventKey(type, id, version - 1))]);
    return before?.exists ? version : 0;
  }

  async #add(write: Write, bytes: number): Promise<void> {
    if (this.#writes.length >= BATCH || this.#bytes + bytes > BATCH_BYTES || this.#paths.has(write.path)) await this.#flush();
    this.#writes.push(write);
    this.#paths.add(write.path);
    this.#bytes += bytes;
  }

  async #flush(): Promise<void> {
    if (this.#writes.length === 0) return;
    const [batch, path] = [defaultPlatform.newId(), pathOf(this.#tenant, "log", workKey(this.#work))];
    const written = await this.#database.write([...this.#writes, { kind: "update", path, fields: { batch } }]);
    if (written.status === "refused") {
      const [mark] = await this.#database.get([path]);
      if (mark?.exists !== true) await this.isVoid();
      if (mark?.data()?.batch !== batch) {
        if (written.code !== CODE.alreadyExists) throw storeError("to import", written.cause, "none");
        await this.#refuseRepeated();
      }
    }
    this.#writes = [];
    this.#commits = [];
    this.#paths = new Set();
    this.#bytes = 0;
  }

  /** Finds the commit of the batch that repeats an earlier one, and refuses it. */
  async #refuseRepeated(): Promise<never> {
    for (const { position, commit } of this.#commits) {
      const { type, id, version, receipt } = commit;
      const paths = [pathOf(this.#tenant, "events", eventKey(type, id, version))];
      if (receipt !== undefined) paths.push(pathOf(this.#tenant, "receipts", idKey(receipt.commandId)));
      const [event, other] = await this.#database.get(paths);
      if (event?.exists) this.#refuse(position, `repeats version ${version} of ${type}/${id}`);
      if (other?.exists) this.#refuse(position, `repeats the commandId ${receipt?.commandId}`);
    }
    throw new ValidationError("export", "repeats a commit: export the tenant again");
  }

  #refuse(position: number, reason: string): never {
    throw new ValidationError(`commit ${position}`, `${reason}: export the tenant again`);
  }
}
