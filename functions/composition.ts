import {
  type AggregateClass,
  type AggregateClasses,
  type AnyHandler,
  CommandHandler,
  defaultPlatform,
  Err,
  type IEventStore,
  type IPlatform,
  type ITracer,
  type Readers,
  StreamReader,
  type UpcasterMap,
} from "../core/index.ts";
import { typeOf } from "../core/model/aggregate.ts";
import { Deadlines, ScheduledCommand } from "../core/reactions.ts";
import { Account, Accounts } from "../examples/bank-account/index.ts";
import { Post, Posts, User } from "../examples/blog/index.ts";
import { KeyPressCalculator, SummingCalculator, Totals } from "../examples/calculator/index.ts";
import { Cart, HotProducts } from "../examples/cart/index.ts";
import { Loan, Loans, PaymentWatch } from "../examples/loan/index.ts";
import { exampleSamples, type Sample } from "./samples.ts";

/** What an application consists of: its aggregates, and which handlers read on which thread. */
export interface Composition {
  readonly aggregates: AggregateClasses;
  readonly threads: Readonly<Record<string, readonly AnyHandler[]>>;
  /** Threads of reactions, which need what they send and read through; their deadlines are no part of what is served. */
  readonly reactions?: (service: Pick<Service, "handler" | "reader">) => Composition["threads"];
  /** Commands as one would send them, in an order that works on a new tenant: the examples of /openapi.json. */
  readonly samples?: readonly Sample[];
}

/** The example domains: put your own aggregates and projections here. */
export const examples: Composition = {
  aggregates: [SummingCalculator, KeyPressCalculator, Loan, Account, User, Post, Cart],
  threads: {
    calculators: [new Totals()],
    business: [new Loans(), new Accounts()],
    blog: [new Posts()],
    carts: [new HotProducts()],
  },
  reactions: ({ handler, reader }) => {
    const watch = new PaymentWatch(handler);
    return { payments: [watch, new Deadlines(reader, [watch])] };
  },
  samples: exampleSamples,
};

/** Settings of a service. */
export interface ServiceOptions {
  readonly tracer?: ITracer;
  /** Clock, ids and digests; default: those of every platform. */
  readonly platform?: IPlatform;
  /** Compares every snapshot with a fold of the events: slow, finds impure aggregates. */
  readonly development?: boolean;
  /** `auto` (default) opens a tenant at its first command; `provisioned` refuses an unknown one. */
  readonly tenants?: "auto" | "provisioned";
}

/** Who keeps a collection of views. */
export interface Keeper {
  readonly thread: string;
  /** The name of the projection. */
  readonly handler: string;
  readonly projection: AnyHandler;
  /** Who may read the views, as the projection declares it: the same as in the Firestore rules; undefined = nobody. */
  readonly readers: Readers | undefined;
}

/** A composition at work on a store: what `app` serves, and what reads along. */
export interface Service {
  readonly store: IEventStore;
  readonly handler: CommandHandler;
  readonly reader: StreamReader;
  readonly threads: Composition["threads"];
  /** Aggregate classes by type. */
  readonly types: ReadonlyMap<string, AggregateClass>;
  /** The class of each command. */
  readonly commands: ReadonlyMap<string, AggregateClass>;
  /** SHA-256 in hexadecimal, the fastest of where this runs. */
  readonly digest: IPlatform["digest"];
  /** The upcasters of each type's events. */
  readonly upcasters: ReadonlyMap<string, UpcasterMap>;
  /** The keeper of each collection. */
  readonly collections: ReadonlyMap<string, Keeper>;
  readonly samples: readonly Sample[];
}

/**
 * How long a thread is leased, in ms. After a crash nobody reads it until the lease has ended: short enough that `?position=` outwaits it,
 * long enough for handlers that only keep views; a slow one (mail, HTTP) needs a longer lease.
 */
export const LEASE = 2_000;

/** Puts a composition to work on a store. @throws {Err} that names what is wrong with the composition. */
export function compose(
  store: IEventStore,
  { aggregates, threads: ownThreads, reactions, samples = [] }: Composition,
  options: ServiceOptions = {},
): Service {
  const { tracer, platform } = options;
  const handler = new CommandHandler(store, reactions ? [...aggregates, ScheduledCommand] : aggregates, options);
  const reader = new StreamReader(store, { aggregates, ...(tracer && { tracer }), ...(platform && { platform }) });
  const reacting = reactions?.({ handler, reader }) ?? {};
  const taken = Object.keys(reacting).find((thread) => Object.hasOwn(ownThreads, thread));
  if (taken !== undefined) throw Err.invalidArgument("reactions", `the thread ${taken} is among threads too: name it otherwise`);
  const threads = { ...ownThreads, ...reacting };
  return {
    store,
    handler,
    reader,
    threads,
    types: new Map(aggregates.map((Type) => [typeOf(Type), Type])),
    upcasters: new Map(aggregates.map((Type) => [typeOf(Type), Type.upcasters ?? {}])),
    commands: new Map(aggregates.flatMap((Type) => namesOf(Type).map((command) => [command, Type]))),
    digest: (platform ?? defaultPlatform).digest,
    collections: keepersOf(ownThreads),
    samples,
  };
}

/** The names of all commands of some aggregates. */
export function commandsOf(aggregates: AggregateClasses): ReadonlySet<string> {
  return new Set(aggregates.flatMap(namesOf));
}

function namesOf(Type: AggregateClass): readonly string[] {
  return Object.keys(new Type().commands);
}

/** Keeps every thread of a service reading, for all tenants, until the signal aborts; rejects as soon as one of them cannot go on. */
export async function readAlong({ reader, threads }: Pick<Service, "reader" | "threads">, signal: AbortSignal): Promise<void> {
  // Together, because threads do not depend on each other.
  await Promise.all(
    Object.entries(threads).map(([thread, handlers]) => reader.run("all", thread, handlers, { signal, lease: LEASE })),
  );
}

function keepersOf(threads: Composition["threads"]): ReadonlyMap<string, Keeper> {
  const keepers = new Map<string, Keeper>();
  for (const [thread, handlers] of Object.entries(threads)) {
    for (const handler of handlers) {
      if (!("collection" in handler)) continue;
      if (keepers.has(handler.collection))
        throw Err.invalidArgument("threads", `two projections keep ${handler.collection}: give each a collection of its own`);
      keepers.set(handler.collection, {
        thread,
        handler: handler.name ?? handler.constructor.name,
        projection: handler,
        readers: handler.readers,
      });
    }
  }
  return keepers;
}
