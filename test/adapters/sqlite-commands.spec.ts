import { expect } from "chai";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { StreamReader } from "../../core/index.ts";
import { Totals } from "../../examples/calculator/index.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { temporaryFolder } from "../support/sqlite-folder.ts";
import { startWorker, type Worker } from "../support/sqlite-workers.ts";

const TENANT = "shared";
const THREAD = "totals";
const COMMANDER = new URL("../support/sqlite-commander.ts", import.meta.url);
const TOTALLER = new URL("../support/sqlite-totaller.ts", import.meta.url);

/** What a command made: the version and the sum of its aggregate. */
interface Made {
  readonly id: string;
  readonly version: number;
  readonly sum: number;
}

describe("command handlers and readers in processes of their own, on one SQLite file", function () {
  this.timeout(60_000);
  const newPath = temporaryFolder();
  const workers: Worker[] = [];
  const start = (script: URL, ...args: readonly (string | number)[]): Worker => {
    const worker = startWorker(script, ...args.map(String));
    workers.push(worker);
    return worker;
  };
  after(() => {
    for (const { kill } of workers) kill();
  });

  /** Lets processes send commands at once; resolves to what all of them made. */
  async function race(processes: number, path: string, count: number, aggregates: number) {
    const commanders = Array.from({ length: processes }, () => start(COMMANDER, path, TENANT, count, aggregates));
    // All are ready before any begins: they are to race.
    await Promise.all(commanders.map(({ isReady }) => isReady));
    for (const { sayTheWord } of commanders) sayTheWord();
    const told = (await Promise.all(commanders.map(({ ended }) => ended))).flat().map((line) => line.split(" "));
    const conflicts = told.filter(([what]) => what === "conflicts").map(([, number]) => Number(number));
    const made = told
      .filter(([what]) => what !== "conflicts")
      .map(([id = "", version, sum]): Made => ({ id, version: Number(version), sum: Number(sum) }));
    return { made, conflicts: conflicts.reduce((total, number) => total + number, 0) };
  }

  /** Every version of every aggregate once, each on the state before it. */
  function expectNoGap(made: readonly Made[]): void {
    for (const id of new Set(made.map((one) => one.id))) {
      const own = made.filter((one) => one.id === id).sort((one, other) => one.version - other.version);
      expect(own, id).to.deep.equal(own.map((_, version) => ({ id, version, sum: version + 1 })));
    }
  }

  it("carry 32 commands on one aggregate out, sent at once by 4 of them: every version once, each on the state before", async () => {
    const { made } = await race(4, newPath(), 8, 1);
    expect(made).to.have.length(32);
    expectNoGap(made);
  });

  it("lose nothing and handle each event once: 4 processes x 200 commands on 5 shared aggregates, while 3 processes poll one thread", async () => {
    const path = newPath();
    const readers = [1, 2, 3].map(() => start(TOTALLER, path, TENANT, THREAD));
    await Promise.all(readers.map(({ isReady }) => isReady));
    const { made, conflicts } = await race(4, path, 200, 5);
    for (const { sayTheWord } of readers) sayTheWord();
    const handled = (await Promise.all(readers.map(({ ended }) => ended))).map(([line]) => Number(line));
    expect(made).to.have.length(800);
    expectNoGap(made);
    expect(conflicts, "conflicts, all of them decided again").to.be.above(0);

    const store = new SqliteEventStore({ path });
    try {
      const { commits } = await store.read(TENANT, 0, 1_000);
      expect(commits.map(({ position }) => position)).to.deep.equal(Array.from({ length: 800 }, (_, index) => index + 1));
      const stored = commits.map(({ id, version }) => `${id} ${version}`);
      expect(stored).to.have.members(made.map(({ id, version }) => `${id} ${version}`));
      const reader = new StreamReader(store);
      const rest = await pollUntilIdle(reader, TENANT, THREAD, [new Totals()]);
      expect(handled.filter((count) => count > 0).length, `readers that had a turn: ${handled}`).to.be.above(1);
      expect(handled.reduce((total, count) => total + count, rest)).to.equal(800);
      const { views } = await reader.views(TENANT, new Totals()).list();
      const steps = views.map(({ id, value }) => [id, value.sum, value.steps]);
      const last = [0, 1, 2, 3, 4]
        .map((number) => `shared-${number}`)
        .map((id) => [id, made.filter((one) => one.id === id).length]);
      expect(steps).to.deep.equal(last.map(([id, count]) => [id, count, count]));
    } finally {
      await store.close();
    }
  });
});
