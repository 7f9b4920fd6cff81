import { setImmediate } from "node:timers/promises";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Aggregate, type CommandContext, CommandHandler, type EventOf, type PendingCommit } from "../../core/index.ts";
import { actorOf } from "./actors.ts";
import { type Gate, gate } from "./gate.ts";
import { HandClock } from "./hand-clock.ts";
import { intercepted } from "./intercepted-store.ts";
import { pollDuring } from "./poll-until-idle.ts";

/** A note, whose commands write it alone, after another, or with another. */
export class Note extends Aggregate<{ Written: { text: string } }> {
  static readonly path = "/notes";
  static readonly access = "tenant";
  length = 0;
  get commands() {
    return {
      Write: (context: CommandContext<Note, { text: string }>) => context.push("Written"),
      WriteAfter: async (context: CommandContext<Note, { text: string; after: string }>) => {
        const { text, after } = context.payload;
        await context.load(Note, after);
        context.push("Written", { text });
      },
      WriteBoth: async (context: CommandContext<Note, { text: string; other: string }>) => {
        const { text, other } = context.payload;
        context.push("Written", { text });
        await context.append(Note, other, "Written", { text });
      },
    };
  }
  get events() {
    return {
      Written: ({ payload }: EventOf<Note, "Written">) => {
        this.length += payload.text.length;
      },
    };
  }
}

/** A store that holds each commit call until the test lets it through, and notes what came in it. */
export async function noteScene(...tenants: string[]) {
  const inner = new MemoryEventStore();
  for (const tenant of tenants.length === 0 ? ["t"] : tenants) await inner.open(tenant);
  const calls: { readonly tenant: string; readonly group: readonly PendingCommit[]; readonly gate: Gate }[] = [];
  let failure: Error | undefined;
  const store = intercepted(inner, {
    commit: async (tenant, group) => {
      const call = { tenant, group, gate: gate() };
      calls.push(call);
      await call.gate.passed;
      if (failure !== undefined) throw failure;
      return inner.commit(tenant, group);
    },
  });
  const platform = new HandClock();
  const handler = new CommandHandler(store, [Note], { platform });
  const write = (aggregateId: string, text = "x", commandId?: string, tenant = "t") =>
    handler.command(actorOf(tenant), "Write", { text, aggregateId }, commandId === undefined ? {} : { commandId });
  return {
    inner,
    handler,
    platform,
    calls,
    write,
    /** Has one write in flight, so that the next ones gather. */
    keepBusy: async () => {
      const first = write("first");
      await setImmediate();
      return [first] as const;
    },
    ids: () => calls.map(({ group }) => group.map(({ writes }) => writes.map(({ id }) => id).join("+"))),
    fail: (error: Error | undefined) => {
      failure = error;
    },
    /** Lets all calls through, also those to come. */
    letThrough: async (commands: Promise<unknown>) => {
      let next = 0;
      await pollDuring(Promise.allSettled([commands]), async () => {
        for (; next < calls.length; next++) calls[next]?.gate.open();
      });
      return commands;
    },
  };
}
