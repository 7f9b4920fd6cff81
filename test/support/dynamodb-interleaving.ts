import type { IDocument } from "../../adapters/dynamodb/index.ts";
import { defaultPlatform, type IPlatform } from "../../core/index.ts";
import { type Applying, type DynamoDbModel, named } from "./dynamodb-model.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** How likely each misfortune is at each step. */
export interface Misfortunes {
  /** A write is carried out, and its reply is lost. */
  readonly lostReply: number;
  /** A write is given up on, and is carried out later, or never. */
  readonly late: number;
  /** A write is carried out twice, once now and once later, as a network or an SDK may repeat it. */
  readonly doubled: number;
  /** A request is refused because the database is busy. */
  readonly busy: number;
}

/** A request on its way: carried out step by step, then answered. */
interface Flight {
  readonly process: string;
  readonly kind: "read" | "write" | "pause";
  /** Carries the next step out; whether it was the last. Throws what the database refuses. */
  readonly step: () => boolean;
  answer: (() => void) | undefined;
  refuse: ((error: unknown) => void) | undefined;
  /** A transaction that is being applied can neither be lost nor refused any more. */
  isBegun: boolean;
  /** Nothing happens to it before this step. */
  notBefore: number;
}

/** How many steps a write may be late at most: enough for readers to lose patience. */
const MOST_LATE = 80;

/**
 * Decides, by a seed, which request of which process the database carries out next, and what goes wrong; between two decisions every
 * process runs until it waits. So one seed is one interleaving of the real code, repeated exactly.
 */
export class Interleaving {
  /** Virtual time, in ms; each decision takes one, each pause its length. */
  clock = 1_000_000;
  /** Decisions so far. */
  steps = 0;
  readonly #model: DynamoDbModel;
  readonly #random: SeededRandom;
  readonly #misfortunes: Misfortunes;
  #flights: Flight[] = [];
  #isCalm = false;

  constructor(model: DynamoDbModel, random: SeededRandom, misfortunes: Misfortunes) {
    this.#model = model;
    this.#random = random;
    this.#misfortunes = misfortunes;
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.#flights.length === 0;
  }

  /** Whether no write is under way that nobody waits for. */
  get isSettled(): boolean {
    return this.#flights.every(({ answer }) => answer !== undefined);
  }

  /** From here on nothing goes wrong any more. */
  calm(): void {
    this.#isCalm = true;
  }

  /** The client of one process. */
  document(process: string): IDocument {
    const model = this.#model;
    return {
      get: (input) => this.#send(process, "read", () => model.get(input)),
      batchGet: (input) => this.#send(process, "read", () => model.batchGet(input)),
      query: (input) => this.#send(process, "read", () => model.query(input)),
      put: (input) => this.#send(process, "write", () => model.put(input)),
      update: (input) => this.#send(process, "write", () => model.update(input)),
      transactWrite: (input) => this.#transact(process, input),
    };
  }

  /** The platform of one process: virtual time, seeded jitter and ids. */
  platform(process: string): IPlatform {
    let ids = 0;
    return {
      now: () => this.clock,
      random: () => this.#random.next(),
      newId: () => `${process}-${++ids}`.padStart(21, "0"),
      digest: defaultPlatform.digest,
      sleep: (ms) =>
        this.#send(process, "pause", () => {
          this.clock += ms;
        }),
    };
  }

  /** Lets a process pause for one decision, as between two polls. */
  pause(process: string): Promise<void> {
    return this.#send(process, "pause", () => undefined);
  }

  /** Kills a process: it hears no answer any more; what it sent is carried out later, or never. */
  crash(process: string): void {
    this.#flights = this.#flights.filter((flight) => {
      if (flight.process !== process) return true;
      this.#delay(flight);
      return flight.kind === "write" && (flight.isBegun || this.#random.chance(0.6));
    });
  }

  /** Carries out one step of one request. */
  decide(): void {
    this.steps++;
    this.clock++;
    const at = this.#choose();
    const flight = this.#flights[at];
    if (flight === undefined) return;
    if (!this.#isCalm && !flight.isBegun && flight.refuse !== undefined && this.#isUnlucky(flight)) return;
    let isDone = true;
    flight.isBegun = true;
    try {
      isDone = flight.step();
    } catch (error) {
      this.#flights.splice(at, 1);
      flight.refuse?.(error);
      return;
    }
    if (!isDone) return;
    this.#flights.splice(at, 1);
    if (!this.#isCalm && flight.kind === "write" && this.#random.chance(this.#misfortunes.lostReply))
      flight.refuse?.(named("TimeoutError"));
    else flight.answer?.();
  }

  /** Whether something befalls a request before it is carried out. */
  #isUnlucky(flight: Flight): boolean {
    const { late, busy } = this.#misfortunes;
    if (flight.kind === "write" && this.#random.chance(late)) {
      const refuse = flight.refuse;
      this.#delay(flight);
      if (this.#random.chance(0.3)) this.#flights.splice(this.#flights.indexOf(flight), 1);
      refuse?.(named("TimeoutError"));
      return true;
    }
    if (flight.kind === "pause" || !this.#random.chance(busy)) return false;
    this.#flights.splice(this.#flights.indexOf(flight), 1);
    flight.refuse?.(named("ThrottlingException"));
    return true;
  }

  /** A request whose time has come; where there is none, any. */
  #choose(): number {
    for (let tries = 0; tries < 8; tries++) {
      const at = this.#random.below(this.#flights.length);
      if ((this.#flights[at]?.notBefore ?? 0) <= this.steps) return at;
    }
    return this.#random.below(this.#flights.length);
  }

  #delay(flight: Flight): void {
    flight.answer = undefined;
    flight.refuse = undefined;
    flight.notBefore = this.steps + this.#random.below(MOST_LATE);
  }

  #send<T>(process: string, kind: Flight["kind"], carryOut: () => T): Promise<T> {
    let result: T;
    const step = () => {
      result = carryOut();
      return true;
    };
    return this.#launch(process, kind, step, () => result);
  }

  #transact(process: string, input: Parameters<IDocument["transactWrite"]>[0]): ReturnType<IDocument["transactWrite"]> {
    const step = () => {
      let applying: Applying | undefined;
      return () => {
        if (applying === undefined) applying = this.#model.begin(input);
        else this.#model.apply(applying, this.#random.below(applying.left.length));
        return applying.left.length === 0;
      };
    };
    return this.#launch(process, "write", step(), () => ({}), step);
  }

  #launch<T>(
    process: string,
    kind: Flight["kind"],
    step: () => boolean,
    result: () => T,
    again: () => () => boolean = () => step,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const sent = { process, kind, isBegun: false, notBefore: 0 };
      this.#flights.push({ ...sent, step, answer: () => resolve(result()), refuse: reject });
      if (kind !== "write" || this.#isCalm || !this.#random.chance(this.#misfortunes.doubled)) return;
      const late = this.steps + this.#random.below(MOST_LATE);
      this.#flights.push({ ...sent, notBefore: late, step: again(), answer: undefined, refuse: undefined });
    });
  }
}
