import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import {
  Aggregate,
  type AggregateClass,
  type CommandContext,
  CommandHandler,
  Err,
  type IEventStore,
  type Snapshot,
  type SnapshotPolicy,
  ValidationError,
} from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { countedStore } from "../support/counted-store.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";

class Tally extends Aggregate<{ Counted: { by: number } }> {
  static readonly path: string = "/tallies";
  static readonly access = "tenant";
  static readonly snapshot: SnapshotPolicy = true;
  total = 0;
  note: string | undefined = "fresh";
  get commands() {
    return { Count: (context: CommandContext<Tally, { by: number }>) => context.push("Counted") };
  }
  get events() {
    return {
      Counted: ({ payload }: { readonly payload: { readonly by: number } }) => {
        this.total += payload.by;
        this.note = payload.by > 1 ? "more" : undefined;
      },
    };
  }
}

class Third extends Tally {
  static override readonly snapshot = { every: 3 };
}

class Never extends Tally {
  static override readonly snapshot = false;
}

class Reshaped extends Tally {
  static override readonly snapshot = { schema: 1 };
  count = 0;
  override get events() {
    const { Counted } = super.events;
    return {
      Counted: (event: { readonly payload: { readonly by: number } }) => {
        Counted(event);
        this.count++;
      },
    };
  }
}

/** State that JSON cannot hold. */
class Mapped extends Tally {
  static override readonly path = "/mapped";
  readonly byNumber = new Map<number, number>();
  override get events() {
    return {
      Counted: ({ payload }: { readonly payload: { readonly by: number } }) => {
        this.byNumber.set(payload.by, (this.byNumber.get(payload.by) ?? 0) + 1);
      },
    };
  }
}

class MappedNever extends Mapped {
  static override readonly snapshot = false;
}

/** Changes its state in a command, without an event. */
class Impure extends Tally {
  override get commands() {
    return {
      Count: (context: CommandContext<Tally, { by: number }>) => {
        this.total += 1_000;
        context.push("Counted");
      },
    };
  }
}

const actor = actorOf("t");
const address = { tenant: "t", type: "tallies", id: "tally" };

/** Counts by 1 some times, with a handler of its own. */
async function count(store: IEventStore, Type: AggregateClass<Tally>, times: number) {
  const handler = new CommandHandler(store, [Type]);
  for (let made = 0; made < times; made++) await handler.command(actor, "Count", { by: 1, aggregateId: "tally" });
}

const loadCold = async (store: IEventStore, Type: AggregateClass<Tally> = Tally) => {
  const tally = await new CommandHandler(store, [Type]).load(actor, Type, "tally");
  return [tally?.total, tally?.aggregateVersion];
};

/** A store whose snapshots are what is given; the commits after it are the real ones. */
function withSnapshot(store: IEventStore, snapshot: Snapshot | undefined): IEventStore {
  return intercepted(store, {
    load: async (of, options) => {
      if (options?.after !== undefined || options?.upTo !== undefined) return store.load(of, options);
      const tail = await store.load(of, { after: snapshot?.version ?? -1 });
      return snapshot === undefined ? tail : { ...tail, snapshot };
    },
  });
}

describe("Snapshots", () => {
  it("are made at every commit by default", async () => {
    const store = new MemoryEventStore();
    for (let version = 0; version < 3; version++) {
      await count(store, Tally, 1);
      const { snapshot, commits } = await store.load(address);
      expect([snapshot?.version, snapshot?.schema, snapshot?.state, commits]).to.deep.equal([
        version,
        0,
        { total: version + 1 },
        [],
      ]);
    }
  });

  it("are made every n commits, and the tail is folded", async () => {
    const { store, groups } = countedStore();
    await count(store, Third, 8);
    const kept = groups.flat().flatMap(({ writes }) => writes.flatMap(({ version, snapshot }) => (snapshot ? [version] : [])));
    expect(kept).to.deep.equal([2, 5]);
    const { snapshot, commits } = await store.load(address);
    expect([snapshot?.version, commits.map(({ version }) => version)]).to.deep.equal([5, [6, 7]]);
    expect(await loadCold(store, Third)).to.deep.equal([8, 7]);
  });

  it("are never made where the class says so, and nothing is kept warm", async () => {
    const { store, loads } = countedStore();
    const handler = new CommandHandler(store, [Never]);
    for (let made = 0; made < 3; made++) await handler.command(actor, "Count", { by: 1, aggregateId: "tally" });
    expect(loads).to.have.length(3);
    expect((await store.load(address)).snapshot).to.equal(undefined);
    expect(await loadCold(store, Never)).to.deep.equal([3, 2]);
  });

  it("may be turned on for an old aggregate: all 50 are there (seed 3 loaded 11 of 50)", async () => {
    const store = new MemoryEventStore();
    await count(store, Never, 49);
    await count(store, Tally, 1);
    expect(await loadCold(store)).to.deep.equal([50, 49]);
    await count(store, Third, 2);
    expect(await loadCold(store, Third)).to.deep.equal([52, 51]);
  });

  it("may be lost: all 30 are there (seed 3 loaded 13 of 30)", async () => {
    const store = new MemoryEventStore();
    await count(store, Third, 30);
    const lossy = withSnapshot(store, undefined);
    expect(await loadCold(lossy, Third)).to.deep.equal([30, 29]);
    await count(lossy, Third, 1);
    expect(await loadCold(store, Third)).to.deep.equal([31, 30]);
  });

  it("may be stale: the commits after it are folded", async () => {
    const store = new MemoryEventStore();
    await count(store, Tally, 10);
    const stale = withSnapshot(store, { version: 3, schema: 0, state: { total: 4 } });
    expect(await loadCold(stale)).to.deep.equal([10, 9]);
    await count(stale, Tally, 1);
    expect(await loadCold(store)).to.deep.equal([11, 10]);
  });

  it("may be of another shape: then they are not used", async () => {
    const store = new MemoryEventStore();
    await count(store, Tally, 10);
    const foreign = withSnapshot(store, { version: 9, schema: 7, state: { colour: "red", total: -1 } });
    expect(await loadCold(foreign)).to.deep.equal([10, 9]);
    await count(foreign, Tally, 1);
    expect(await loadCold(store)).to.deep.equal([11, 10]);
  });

  it("may be ahead of the log, as after a restored backup: a command distrusts them and folds", async () => {
    const store = new MemoryEventStore();
    await count(store, Tally, 3);
    const ahead = withSnapshot(store, { version: 9, schema: 0, state: { total: 999 } });
    const { aggregate } = await new CommandHandler(ahead, [Tally]).command(actor, "Count", { by: 1, aggregateId: "tally" });
    expect([aggregate.total, aggregate.aggregateVersion]).to.deep.equal([4, 3]);
  });

  it("of a raised schema number are made anew", async () => {
    const store = new MemoryEventStore();
    await count(store, Tally, 5);
    const tally = await new CommandHandler(store, [Reshaped]).load(actor, Reshaped, "tally");
    expect([tally?.total, tally?.count]).to.deep.equal([5, 5]);
    await count(store, Reshaped, 1);
    const { snapshot } = await store.load(address);
    expect([snapshot?.version, snapshot?.schema, snapshot?.state]).to.deep.equal([5, 1, { count: 6, total: 6 }]);
  });

  it("do not bring the constructor's value back into a field that was undefined", async () => {
    const store = new MemoryEventStore();
    await count(store, Tally, 1);
    const tally = await new CommandHandler(store, [Tally]).load(actor, Tally, "tally");
    expect([tally?.note, "note" in (tally ?? {})]).to.deep.equal([undefined, true]);
  });

  it("cannot hold what is no JSON: the command is refused with the path, and works without snapshots", async () => {
    const store = new MemoryEventStore();
    const refused = new CommandHandler(store, [Mapped]).command(actor, "Count", { by: 1, aggregateId: "m" });
    const error = await rejects(ValidationError, refused);
    expect([error.path, error.message]).to.deep.equal([
      "state.byNumber",
      "state.byNumber: is a Map: give a plain object, an array, a number or a string",
    ]);
    expect((await store.load({ tenant: "t", type: "mapped", id: "m" })).commits).to.deep.equal([]);
    const handler = new CommandHandler(store, [MappedNever]);
    await handler.command(actor, "Count", { by: 1, aggregateId: "m" });
    const { aggregate } = await handler.command(actor, "Count", { by: 1, aggregateId: "m" });
    expect([...aggregate.byNumber]).to.deep.equal([[1, 2]]);
  });

  it("are compared with a fold in development, so that a change without an event is found", async () => {
    const store = new MemoryEventStore();
    await count(store, Tally, 2);
    const handler = new CommandHandler(store, [Impure], { development: true });
    const error = await rejects(Err, handler.command(actor, "Count", { by: 1, aggregateId: "tally" }));
    expect([error.code, error.message]).to.deep.equal([
      "integrity",
      "the state of tallies/tally differs from a fold of its events: change state in event methods only, and keep these pure",
    ]);
    expect(await loadCold(store)).to.deep.equal([2, 1]);
    const pure = new CommandHandler(store, [Tally], { development: true });
    expect((await pure.command(actor, "Count", { by: 1, aggregateId: "tally" })).aggregate.total).to.equal(3);
  });

  it("say by recalculation whether they are right", async () => {
    const store = new MemoryEventStore();
    await count(store, Tally, 3);
    const verdict = async (of: IEventStore) => {
      const { aggregate, snapshot } = await new CommandHandler(of, [Tally]).recalculate(actor, Tally, "tally");
      return [aggregate.total, snapshot];
    };
    expect(await verdict(store)).to.deep.equal([3, "equal"]);
    expect(await verdict(withSnapshot(store, undefined))).to.deep.equal([3, "none"]);
    expect(await verdict(withSnapshot(store, { version: 1, schema: 0, state: { total: 2 } }))).to.deep.equal([3, "equal"]);
    expect(await verdict(withSnapshot(store, { version: 1, schema: 0, state: { total: 5 } }))).to.deep.equal([3, "different"]);
    expect(await verdict(withSnapshot(store, { version: 2, schema: 1, state: { total: 5 } }))).to.deep.equal([3, "none"]);
  });
});
