import {
  Actor,
  Aggregate,
  type CommandContext,
  defaultPlatform,
  type EventOf,
  type IEventStore,
  type PendingCommit,
  Projection,
  type ProjectionEvents,
} from "../core/index.ts";

type Events = { Paid: { amount: number } };

/** A purse, to which one pays. */
export class Purse extends Aggregate<Events> {
  static readonly path = "/purses";
  static readonly access = "tenant";
  static readonly snapshot = false;
  sum = 0;

  get commands() {
    return { Pay: (context: CommandContext<Purse, { amount: number }>) => context.push("Paid") };
  }

  get events() {
    return {
      Paid: ({ payload }: EventOf<Purse, "Paid">) => {
        this.sum += payload.amount;
      },
    };
  }
}

/** A view for each purse. */
export class Sums extends Projection<{ sum: number; payments: number }, Events> {
  readonly collection = "sums";
  readonly events: ProjectionEvents<{ sum: number; payments: number }, Events> = {
    Paid: {
      id: (_event, commit) => commit.id,
      next: (view, { payload }) => ({ sum: (view?.sum ?? 0) + payload.amount, payments: (view?.payments ?? 0) + 1 }),
    },
  };
}

/** Who pays. */
export const payer = new Actor({ id: "ada", name: "Ada", tenant: "bench", roles: [] });

const PURSES = 200;
const EVENTS_A_COMMIT = 5;
const COMMITS_A_GROUP = 100;

/** Stores payments of 1 to purses in turn, past the command handler: it is not what is measured. */
export async function seedPayments(store: IEventStore, events: number): Promise<void> {
  await store.open(payer.tenant);
  const paid = Array.from({ length: EVENTS_A_COMMIT }, () => ({ name: "Paid", payload: { amount: 1 }, schemaVersion: 0 }));
  const commits = events / EVENTS_A_COMMIT;
  for (let first = 0; first < commits; first += COMMITS_A_GROUP) {
    const group: PendingCommit[] = [];
    for (let n = first; n < Math.min(commits, first + COMMITS_A_GROUP); n++) {
      const place = { type: "purses", id: `p${n % PURSES}`, version: Math.floor(n / PURSES) };
      group.push({
        commitId: defaultPlatform.newId(),
        writes: [{ ...place, events: paid, bytes: 400 }],
        verified: [],
        command: "Pay",
        actor: { id: payer.id, name: payer.name },
        at: defaultPlatform.now(),
      });
    }
    for (const { status } of await store.commit(payer.tenant, group))
      if (status !== "committed") throw new Error(`a seed came out as ${status}`);
  }
}
