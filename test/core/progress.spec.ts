import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, StreamReader } from "../../core/index.ts";
import { Account, Accounts } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { HandClock } from "../support/hand-clock.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";

/** How long a handler works on an event, in ms. */
const WORK = 100;

/** Takes its time for each event, by the clock. */
class SlowAccounts extends Accounts {
  override readonly name = "Accounts";
  readonly #clock: HandClock;

  constructor(clock: HandClock) {
    super();
    this.#clock = clock;
  }

  override get events(): Accounts["events"] {
    const { AccountOpened, ...others } = super.events;
    const next: NonNullable<typeof AccountOpened>["next"] = (...args) => {
      this.#clock.time += WORK;
      return AccountOpened?.next(...args);
    };
    return { ...others, AccountOpened: { id: (_event, commit) => commit.id, next } };
  }
}

describe("The progress that is told", () => {
  /** Ten commits of one event each. */
  async function stage() {
    const clock = new HandClock();
    const store = new MemoryEventStore({ now: () => clock.now() });
    const handler = new CommandHandler(store, [Account], { platform: clock });
    for (let n = 0; n < 10; n++) await handler.command(actorOf("t"), "OpenAccount", { owner: "ada", aggregateId: `a${n}` });
    return { clock, reader: new StreamReader(store, { platform: clock }) };
  }

  const told = (events: number, total: number, position: number, head: number) => ({
    events,
    total,
    position,
    head,
    eventsPerSecond: 1_000 / WORK,
    eta: (total - events) * WORK,
  });

  it("by a rebuild is what is done, what there is, how fast it goes and how long it will take; anew after a stop", async () => {
    const { clock, reader } = await stage();
    await pollUntilIdle(reader, "t", "main", [new Accounts()]);
    const heard: unknown[] = [];
    const stop = new AbortController();
    const onProgress = (progress: { readonly events: number }) => {
      heard.push(progress);
      if (progress.events === 4) stop.abort();
    };
    const options = { limit: 2, onProgress };
    await reader.rebuild("t", "main", new SlowAccounts(clock), { ...options, signal: stop.signal });
    expect(heard.splice(0)).to.deep.equal([told(2, 10, 2, 10), told(4, 10, 4, 10)]);
    clock.time += 3_600_000;
    await reader.rebuild("t", "main", new SlowAccounts(clock), options);
    expect(heard).to.deep.equal([told(2, 6, 6, 10), told(4, 6, 8, 10), told(6, 6, 10, 10)]);
  });

  it("by a replay is that of what was chosen", async () => {
    const { clock, reader } = await stage();
    const heard: unknown[] = [];
    const handler = {
      name: "Slow",
      replayable: true,
      events: {
        AccountOpened: () => {
          clock.time += WORK;
        },
      },
    };
    await reader.replay("t", "main", [handler], { from: 3, to: 7, limit: 4, onProgress: (progress) => heard.push(progress) });
    expect(heard).to.deep.equal([told(4, 5, 6, 7), told(5, 5, 7, 7)]);
  });
});
