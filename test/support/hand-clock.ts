import { defaultPlatform, type IPlatform } from "../../core/index.ts";

/** A platform on which time passes only by hand: sleeping takes no real time, moves the clock, and is noted. */
export class HandClock implements IPlatform {
  /** ms since 1970. */
  time = 1_700_000_000_000;
  /** How long each sleep was, in ms. */
  readonly slept: number[] = [];
  /** What `random` gives. */
  chance = 0.5;
  readonly newId = defaultPlatform.newId;
  readonly digest = defaultPlatform.digest;

  now(): number {
    return this.time;
  }

  random(): number {
    return this.chance;
  }

  async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.time += ms;
  }
}
