/** One store with the calculator on it, the way the library's own documentation says. */
export interface Engine {
  /**
   * Adds 1 and 2 on one aggregate: its state is loaded, a decision made, the event appended with optimistic concurrency.
   * Rejects as the library does, on a conflict too, after the library's own default retries. Nobody looks at what it resolves to: the
   * library's own promise is awaited, without another one around it.
   */
  command(aggregateId: string): Promise<unknown>;
  /** The aggregate's sum, as loaded: 3 for each event. */
  sum(aggregateId: string): Promise<number>;
  /** Appends many events to one aggregate; never measured. */
  seed(aggregateId: string, events: number): Promise<void>;
  /** Delivers every stored event to one handler through the library's own subscription or replay; resolves to how many came. */
  replay?(): Promise<number>;
  /**
   * Prepares a fold of every stored event into one view an aggregate, through the library's own projection or subscription, and resolves
   * to what runs it: it resolves to the sum in each view, by aggregate.
   */
  rebuild?(): Promise<() => Promise<Readonly<Record<string, number>>>>;
  close(): Promise<void>;
}

/** What is measured: a peer, ourselves, or the physical limit. */
export interface Contender {
  /** A baseline is measured in `sqlite-32` only. */
  kind: "peer" | "ours" | "baseline";
  /** The packages whose versions the table names. */
  packages: readonly string[];
  /** Scenario name to a sentence that the reader of its number needs. */
  notes?: Readonly<Record<string, string>>;
  memory?(): Promise<Engine>;
  /** Opens or creates the file at the path, with WAL and `synchronous=FULL`. */
  sqlite?(path: string): Promise<Engine>;
}

/** A contender under its file's name. */
export type NamedContender = Contender & { name: string };
