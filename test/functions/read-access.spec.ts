import { expect } from "chai";
import { type Actor, Aggregate, type CommandContext } from "../../core/index.ts";
import type { Composition } from "../../functions/composition.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";

class Diary extends Aggregate<{ Written: { owner: string; text: string } }> {
  static readonly path = "/diaries";
  static readonly readers = ["doctor"] as const;
  static readonly access = {
    Write: (actor: Actor, diary: Diary) => diary.aggregateId === `diary-of-${actor.id}` || diary.trusted === actor.id,
    Burn: ["fireman"],
  };
  trusted = "";
  get commands() {
    return {
      Write: (context: CommandContext<Diary, { owner: string; text: string }>) => context.push("Written"),
      Burn: (_context: CommandContext<Diary>) => {},
    };
  }
  get events() {
    return {
      Written: ({ payload }: { payload: { owner: string } }) => {
        this.trusted = payload.owner;
      },
    };
  }
}

/** Nobody may send its command: only who is declared a reader has a part in it. */
class Sealed extends Aggregate<{ Never: object }> {
  static readonly path = "/sealed";
  static readonly access = {};
  get commands() {
    return { Open: (_context: CommandContext<Sealed>) => {} };
  }
  get events() {
    return { Never: () => {} };
  }
}

const composition: Composition = { aggregates: [Diary, Sealed], threads: {} };

describe("Who may read an aggregate", () => {
  let backend: Backend;
  const read = async (path: string, sub: string, ...roles: string[]) => {
    const { status, body } = await backend.send(path, { token: await tokenOf({ sub, roles }) });
    if (status === 403) expect(body.code).to.equal("authorization");
    return status;
  };
  const STATE = "/aggregates/diaries/diary-of-ada";
  const HISTORY = `${STATE}/events`;

  before(async () => {
    backend = await startBackend({ composition });
    await backend.command("Write", { aggregateId: "diary-of-ada", owner: "eve", text: "dear diary" });
    await backend.command("Write", { aggregateId: "diary-of-ada", owner: "bob", text: "dear bob" });
  });
  after(() => backend.close());

  it("is whom the class declares a reader, who sees states and no history", async () => {
    expect(await read(STATE, "dora", "doctor")).to.equal(200);
    expect(await read(`${STATE}?version=0`, "dora", "doctor")).to.equal(200);
    expect(await read(HISTORY, "dora", "doctor")).to.equal(403);
  });

  it("is who may send one of its commands by role, on any of them", async () => {
    for (const path of [STATE, HISTORY]) expect(await read(path, "finn", "fireman"), path).to.equal(200);
    expect(await read("/aggregates/diaries/absent", "finn", "fireman")).to.equal(404);
  });

  it("is whom the present state lets send a command, at past versions too", async () => {
    for (const path of [STATE, `${STATE}?version=0`, HISTORY]) {
      expect(await read(path, "ada"), path).to.equal(200);
      expect(await read(path, "bob"), path).to.equal(200);
      expect(await read(path, "eve"), `${path}: no longer trusted`).to.equal(403);
    }
  });

  it("is an auditor, who sees the history", async () => {
    expect(await read(HISTORY, "olga", "auditor")).to.equal(200);
    expect(await read(STATE, "olga", "auditor")).to.equal(403);
  });

  it("is nobody else, who does not learn either whether it exists", async () => {
    for (const sub of ["eve", "zoe"]) {
      const token = await tokenOf({ sub, roles: ["user", "manager"] });
      for (const tail of ["", "?version=0", "/events"]) {
        const there = await backend.send(`/aggregates/diaries/diary-of-ada${tail}`, { token });
        const absent = await backend.send(`/aggregates/diaries/diary-of-nil${tail}`, { token });
        expect([there.status, absent.status]).to.deep.equal([403, 403]);
        expect(there.body.detail).to.equal(absent.body.detail.replace("diary-of-nil", "diary-of-ada"));
      }
    }
    expect(await read("/aggregates/diaries/diary-of-zoe", "zoe"), "hers, if she had one").to.equal(404);
  });

  it("is nobody at all where access and readers name nobody", async () => {
    for (const path of ["/aggregates/sealed/x", "/aggregates/sealed/x/events"])
      expect(await read(path, "ada", "user", "manager", "fireman", "doctor"), path).to.equal(403);
  });

  it("is asked before the store is, where roles alone decide", async () => {
    const { store } = backend;
    const load = store.load.bind(store);
    let loads = 0;
    store.load = (...args) => {
      loads++;
      return load(...args);
    };
    await read("/aggregates/sealed/y", "ada");
    expect(loads).to.equal(0);
    store.load = load;
  });
});
