import { expect } from "chai";
import { Err, type IEventHandler, StreamReader } from "../../core/index.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet, Ground } from "./clause.ts";
import { Bookkeeper, tellerOf, type WalletEvents, walletsOn } from "./wallet.ts";
import { cursorsOf } from "./writing.ts";

class Listener implements IEventHandler<WalletEvents> {
  readonly name = "Listener";
  readonly replayable: boolean = true;
  readonly heard: string[] = [];

  readonly events: IEventHandler<WalletEvents>["events"] = {
    Paid: async (_tenant, event) => {
      if (event.payload.amount === 404) throw new Error("no such account");
      this.heard.push(`paid ${event.payload.amount}`);
    },
    Noted: (_tenant, event) => void this.heard.push(`noted ${String(event.payload.value)}`),
  };
}

/** A payment and a note, in turn, three of each; resolves to the positions. */
async function work({ store, clock, tenant }: Ground): Promise<readonly number[]> {
  const handler = walletsOn({ store, clock });
  const positions: number[] = [];
  for (let n = 1; n <= 3; n++) {
    const paid = await handler.command(tellerOf(tenant), "Deposit", { amount: n, aggregateId: "a" });
    const noted = await handler.command(tellerOf(tenant), "Note", { value: n, aggregateId: "b" });
    positions.push(await paid.position(), await noted.position());
  }
  return positions;
}

/** What the engine promises of replays and of the lag that it tells, on every store. */
export const engineReplay: Facet = {
  name: "replays and lags",
  clauses: [
    {
      title: "hand old events over again, those that were chosen, and move no cursor",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        const reader = new StreamReader(store, { platform: clock });
        const positions = await work(ground);
        const listener = new Listener();
        await pollUntilIdle(reader, tenant, "main", [listener]);
        const cursors = await cursorsOf(store, tenant, "main");
        const replayed = new Listener();
        const all = await reader.replay(tenant, "main", [replayed], { limit: 2 });
        expect(replayed.heard).to.deep.equal(listener.heard);
        expect(all).to.deep.include({ status: "done", commits: 6, events: { Listener: { Paid: 3, Noted: 3 } } });
        const part = new Listener();
        const [from, to] = [positions[1]!, positions[4]!];
        await reader.replay(tenant, "main", [part], { events: ["Paid"], from, to });
        expect(part.heard).to.deep.equal(["paid 2", "paid 3"]);
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal(cursors);
      },
    },
    {
      title: "count in a dry run, with what a store would read, and call nobody",
      check: async (ground) => {
        await work(ground);
        const listener = new Listener();
        const reader = new StreamReader(ground.store, { platform: ground.clock });
        const dry = await reader.replay(ground.tenant, "main", [listener], { events: ["Noted"], dryRun: true });
        expect(dry).to.deep.include({ commits: 6, events: { Listener: { Noted: 3 } } });
        expect(dry.cost.writes).to.equal(0);
        expect(dry.cost.reads).to.be.at.least(7);
        expect(listener.heard).to.deep.equal([]);
      },
    },
    {
      title: "stop at a failure, tell where, and go on from there",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        await work(ground);
        await walletsOn(ground).command(tellerOf(tenant), "Deposit", { amount: 404, aggregateId: "a" });
        await work(ground);
        const listener = new Listener();
        const reader = new StreamReader(store, { platform: clock });
        const error = await rejects(Err, reader.replay(tenant, "main", [listener]));
        expect(error).to.include({ code: "precondition", handler: "Listener", index: 0 });
        expect((error.cause as Error).message).to.equal("no such account");
        const { position } = error as Err & { position: number };
        await reader.replay(tenant, "main", [listener], { from: position + 1 });
        expect(listener.heard.length).to.equal(12);
        const stop = new AbortController();
        const options = { to: position - 1, limit: 2, signal: stop.signal, onProgress: () => stop.abort() };
        const stopped = await reader.replay(tenant, "main", [new Listener()], options);
        expect(stopped).to.include({ status: "stopped", commits: 2 });
      },
    },
    {
      title: "are refused for projections, for handlers that are not replayable, and for events that nobody handles",
      check: async ({ store, clock, tenant }) => {
        const reader = new StreamReader(store, { platform: clock });
        const shy = { name: "Shy", events: new Listener().events };
        for (const [handler, options, message] of [
          [new Bookkeeper() as unknown as Listener, {}, /rebuild/],
          [shy, {}, /not replayable/],
          [new Listener(), { events: ["Payed"] }, /no handler handles Payed/],
          [new Listener(), { from: 3, to: 2 }, /to/],
        ] as const) {
          const error = await rejects(Err, reader.replay(tenant, "main", [handler], options));
          expect(error.code).to.equal("invalid_argument");
          expect(error.message).to.match(message);
        }
      },
    },
    {
      title: "tell how far each handler is behind, in commits and in seconds",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        const reader = new StreamReader(store, { platform: clock });
        expect(await reader.lag(tenant, "main")).to.deep.equal({});
        await work(ground);
        const listener = new Listener();
        await pollUntilIdle(reader, tenant, "main", [listener]);
        const before = await reader.lag(tenant, "main");
        expect(before.Listener).to.include({ commits: 0, seconds: 0, isBlocked: false });
        await work(ground);
        clock.turn(90_000);
        // Where commits become visible late, the first of them may be on its way yet.
        let lag = (await reader.lag(tenant, "main")).Listener;
        for (let looks = 0; Number(lag?.seconds) < 90 && looks < 50; looks++) lag = (await reader.lag(tenant, "main")).Listener;
        expect(lag?.commits).to.be.at.least(6);
        expect(lag?.seconds).to.be.within(90, 150);
        expect(lag?.position).to.equal(before.Listener?.position);
      },
    },
  ],
};
