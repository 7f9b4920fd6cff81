import { expect } from "chai";
import { Writer } from "../../adapters/sqlite/writer.ts";
import { Err, StoreError } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";

const IO_ERROR = 10;
const FULL = 13;

describe("the writer of a SQLite file", () => {
  it("says unknown where the disk fails at the very end: the log may be whole, and be recovered after a crash", async () => {
    const { writer, ends } = failing({ commit: failure(IO_ERROR) });
    const error = await rejects(
      StoreError,
      writer.write(() => 1),
    );
    expect(error).to.include({ retryable: true, outcome: "unknown" });
    expect(ends).to.deep.equal(["rollback"]);
  });

  it("says none where the disk has no room at the end, or fails before", async () => {
    const full = failing({ commit: failure(FULL) });
    expect(
      await rejects(
        StoreError,
        full.writer.write(() => 1),
      ),
    ).to.include({ retryable: true, outcome: "none" });
    const early = failing({});
    const error = await rejects(
      StoreError,
      early.writer.write(() => raise(failure(IO_ERROR))),
    );
    expect(error).to.include({ retryable: true, outcome: "none" });
    expect(early.ends).to.deep.equal(["rollback"]);
  });

  it("tells everyone in a transaction that its end failed, and acknowledges none of them", async () => {
    const { writer } = failing({ commit: failure(FULL) });
    const told = [1, 2, 3].map((result) =>
      rejects(
        StoreError,
        writer.write(() => result),
      ),
    );
    expect((await Promise.all(told)).map(({ outcome }) => outcome)).to.deep.equal(["none", "none", "none"]);
  });

  it("acknowledges only after the end of the transaction", async () => {
    const { writer, ends } = failing({});
    const results = await Promise.all([writer.write(() => [...ends]), writer.write(() => "second")]);
    expect(results).to.deep.equal([[], "second"]);
    expect(ends).to.deep.equal(["commit"]);
  });

  it("lets a refusal be its own affair", async () => {
    const { writer, ends } = failing({});
    const first = writer.write(() => 1);
    const refusal = Err.invalidArgument("limit");
    const refused = rejects(
      Err,
      writer.write(() => raise(refusal)),
    );
    expect(await first).to.equal(1);
    expect(await refused).to.equal(refusal);
    expect(ends).to.deep.equal(["commit"]);
  });

  it("lets timers run however eagerly its callers write", async () => {
    const { writer } = failing({});
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
    }, 5);
    let writes = 0;
    while (!isOver && writes < 1_000_000) {
      await writer.write(() => 1);
      writes += 1;
    }
    clearTimeout(timer);
    expect(isOver).to.equal(true);
  });
});

/** A writer whose transactions end in these failures, and how they ended. */
function failing({ commit }: { readonly commit?: Error }): { readonly writer: Writer; readonly ends: readonly string[] } {
  const ends: string[] = [];
  const writer = new Writer({
    path: "store.db",
    patiently: async (attempt) => attempt(),
    begin: () => undefined,
    commit: () => (commit === undefined ? void ends.push("commit") : raise(commit)),
    rollback: () => void ends.push("rollback"),
  });
  return { writer, ends };
}

/** An error as node:sqlite throws it. */
function failure(errcode: number): Error {
  return Object.assign(new Error("disk"), { code: "ERR_SQLITE_ERROR", errcode });
}

function raise(error: Error): never {
  throw error;
}
