import { type Actor, checkInteger, Err } from "../core/index.ts";
import { Refusal } from "./problem.ts";

/** A token bucket: `burst` requests at once, `rate` a second in the long run. */
export interface Rate {
  /** Requests a second; may be a fraction. */
  readonly rate: number;
  /** Requests at once, at least 1. */
  readonly burst: number;
}

/** How much a tenant may ask of one process, and how much of that one of its actors: at most half, so that nobody starves the others. */
export interface RateLimits {
  readonly tenant: Rate;
  readonly actor: Rate;
  /** How many tenants and how many actors are remembered, each; default 10,000. Who is forgotten begins anew with a full bucket. */
  readonly remembered?: number;
}

interface Bucket {
  tokens: number;
  /** ms of the clock. */
  filledAt: number;
}

/** Lets requests through as fast as tenant and actor may send them; keeps its count in this process only. */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #now: () => number;
  readonly #tenants: Buckets;
  readonly #actors: Buckets;

  /** `now` is a clock in ms. @throws {Err} as `checkRateLimits` does */
  constructor(limits: RateLimits, now: () => number) {
    checkRateLimits(limits);
    const { tenant, actor, remembered = 10_000 } = limits;
    this.#limits = limits;
    this.#now = now;
    this.#tenants = new Buckets(tenant, remembered);
    this.#actors = new Buckets(actor, remembered);
  }

  /** Takes one request from both buckets, or from neither. @throws {Refusal} `rate_limited` with `Retry-After` */
  admit({ tenant, id }: Actor): void {
    const now = this.#now();
    const ofActor = this.#actors.filled(`${tenant}/${id}`, now);
    const ofTenant = this.#tenants.filled(tenant, now);
    if (ofActor.tokens < 1) throw refused("actor", waitOf(ofActor, this.#limits.actor));
    if (ofTenant.tokens < 1) throw refused("tenant", waitOf(ofTenant, this.#limits.tenant));
    ofActor.tokens -= 1;
    ofTenant.tokens -= 1;
  }
}

/** Buckets by name, of which the one that was used longest ago is forgotten first. */
class Buckets {
  readonly #rate: Rate;
  readonly #most: number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, most: number) {
    this.#rate = rate;
    this.#most = most;
  }

  /** The bucket with what has come in since its last use. */
  filled(name: string, now: number): Bucket {
    const { rate, burst } = this.#rate;
    const bucket = this.#buckets.get(name) ?? { tokens: burst, filledAt: now };
    const passed = Math.max(0, now - bucket.filledAt);
    bucket.tokens = Math.min(burst, bucket.tokens + (passed * rate) / 1_000);
    bucket.filledAt = now;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#most) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return bucket;
  }
}

/** Seconds until the bucket holds one request again. */
function waitOf({ tokens }: Bucket, { rate }: Rate): number {
  return Math.ceil((1 - tokens) / rate);
}

function refused(limit: "tenant" | "actor", seconds: number): Refusal {
  const whose = limit === "tenant" ? "this tenant sends" : "you send";
  return new Refusal("rate_limited", `${whose} more requests than the server takes: wait ${seconds} s, then send it again`, {
    headers: { "retry-after": String(seconds) },
    facts: { limit },
  });
}

/** @throws {Err} `invalid_argument` for a rate or burst that lets nobody through, or with which one actor starves the others. */
export function checkRateLimits({ tenant, actor, remembered = 1 }: RateLimits): void {
  checkRate(tenant, "tenant");
  checkRate(actor, "actor");
  if (actor.rate > tenant.rate / 2 || actor.burst > tenant.burst / 2)
    throw Err.invalidArgument(
      "rateLimits.actor",
      "give at most half of the tenant's rate and burst, or one actor starves the others",
    );
  checkInteger(remembered, "rateLimits.remembered", 1);
}

function checkRate({ rate, burst }: Rate, name: string): void {
  if (!(rate > 0 && Number.isFinite(rate)))
    throw Err.invalidArgument(`rateLimits.${name}.rate`, "give requests a second, more than 0");
  if (!(burst >= 1 && Number.isFinite(burst)))
    throw Err.invalidArgument(`rateLimits.${name}.burst`, "give requests at once, at least 1");
}
