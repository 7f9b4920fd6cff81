import { defaultPlatform, type IPlatform, type Signal } from "../../core/index.ts";

/** A platform whose clock runs as usual and can be turned forward by hand; ids and sleep are the real ones. */
export class TurnedClock implements IPlatform {
  #ahead = 0;
  readonly random = defaultPlatform.random;
  readonly newId = defaultPlatform.newId;
  readonly digest = defaultPlatform.digest;

  now(): number {
    return Date.now() + this.#ahead;
  }

  sleep(ms: number, signal?: Signal): Promise<void> {
    return defaultPlatform.sleep(ms, signal);
  }

  /** Lets `ms` milliseconds pass at once. */
  turn(ms: number): void {
    this.#ahead += ms;
  }
}

/** A clock for whoever must not wait in earnest: a pause turns it, and lets the others go on for a moment. */
export class HurriedClock extends TurnedClock {
  override async sleep(ms: number): Promise<void> {
    this.turn(Math.ceil(ms));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
