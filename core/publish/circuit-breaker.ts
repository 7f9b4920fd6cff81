import { checkInteger } from "../model/arguments.ts";
import type { IPlatform } from "../ports/platform.ts";

/** When a breaker opens, and for how long. */
export interface BreakerOptions {
  /** How many failures in a row open it; default 5. */
  readonly failures?: number;
  /** How long to wait after the first failure, in ms; doubles with each one in a row; default 500. */
  readonly firstDelay?: number;
  /** The longest wait, in ms; default 60,000. */
  readonly longestDelay?: number;
}

/** `closed`: calls go through. `open`: none does. `half-open`: one does, and decides. */
export type BreakerState = "closed" | "open" | "half-open";

/** A change of a breaker's state. */
export interface BreakerChange {
  readonly state: BreakerState;
  /** How many calls in a row failed. */
  readonly failures: number;
  /** When an open one lets the next call through, in ms since 1970. */
  readonly retryAt?: number;
  /** The error of the last of them. */
  readonly error?: unknown;
}

/** Stops calls to a service that is down: opens after failures in a row, lets one call through after a wait, and closes once one succeeds. */
export class CircuitBreaker {
  readonly #platform: IPlatform;
  readonly #options: Required<BreakerOptions>;
  readonly #report: (change: BreakerChange) => void;
  #state: BreakerState = "closed";
  #failures = 0;
  #retryAt = 0;
  #error: unknown;

  /** @throws {Err} `invalid_argument` that names the option. */
  constructor(platform: IPlatform, options: BreakerOptions, report: (change: BreakerChange) => void) {
    this.#platform = platform;
    this.#report = report;
    this.#options = {
      failures: checkInteger(options.failures ?? 5, "failures", 1),
      firstDelay: checkInteger(options.firstDelay ?? 500, "firstDelay", 1),
      longestDelay: checkInteger(options.longestDelay ?? 60_000, "longestDelay", 1),
    };
  }

  /** The failures in a row: 0 once a call has succeeded. */
  get failures(): number {
    return this.#failures;
  }

  /** What the last call failed with. */
  get error(): unknown {
    return this.#error;
  }

  /** Asks to make a call: undefined = make it, and tell how it ended; else when to ask again, in ms since 1970. */
  enter(): number | undefined {
    if (this.#state === "closed") return undefined;
    const now = this.#platform.now();
    // Those who wait part a little, so that they do not all come at once.
    const later = this.#platform.random() * this.#options.firstDelay;
    const isHalfOpen = this.#state === "half-open";
    if (now < this.#retryAt) return Math.ceil((isHalfOpen ? now + this.#options.firstDelay : this.#retryAt) + later);
    // By then the call that goes through now has told how it ended, or never will.
    this.#retryAt = now + this.#options.longestDelay;
    if (!isHalfOpen) this.#become("half-open");
    return undefined;
  }

  /** The call came through. */
  succeed(): void {
    this.#failures = 0;
    this.#error = undefined;
    if (this.#state !== "closed") this.#become("closed");
  }

  /** The call failed, and not for what it carried. Returns when to try again, in ms since 1970. */
  fail(error: unknown): number {
    this.#error = error;
    // A call from before it opened tells nothing new.
    if (this.#state === "open") return this.#retryAt;
    this.#failures++;
    const { failures, firstDelay, longestDelay } = this.#options;
    const delay = Math.min(longestDelay, firstDelay * 2 ** (this.#failures - 1));
    const retryAt = Math.ceil(this.#platform.now() + delay / 2 + (this.#platform.random() * delay) / 2);
    if (this.#state === "closed" && this.#failures < failures) return retryAt;
    this.#retryAt = retryAt;
    this.#become("open");
    return retryAt;
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#report({
      state,
      failures: this.#failures,
      ...(state === "open" && { retryAt: this.#retryAt }),
      ...(this.#error !== undefined && { error: this.#error }),
    });
  }
}
