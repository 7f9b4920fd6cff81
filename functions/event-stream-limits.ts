import type { StreamSetting } from "./event-stream-setting.ts";
import { Refusal } from "./problem.ts";

const LATER = { headers: { "retry-after": "5" } };

/** Counts the open streams of a process, by tenant. */
export class StreamLimits {
  readonly #setting: Pick<StreamSetting, "perTenant" | "perProcess">;
  readonly #open = new Map<string, number>();
  #all = 0;

  constructor(setting: Pick<StreamSetting, "perTenant" | "perProcess">) {
    this.#setting = setting;
  }

  /** Admits one more stream until the signal aborts. @throws {Refusal} `too_many_streams` (the tenant's), `streams_full` (the process's). */
  admit(tenant: string): (signal: AbortSignal) => void {
    const { perTenant, perProcess } = this.#setting;
    const held = this.#open.get(tenant) ?? 0;
    if (held >= perTenant) {
      throw new Refusal("too_many_streams", `the tenant has ${held} streams open: close one, or share one between tabs`, LATER);
    }
    if (this.#all >= perProcess) throw new Refusal("streams_full", "the server has no stream left: try again later", LATER);
    this.#open.set(tenant, held + 1);
    this.#all++;
    return (signal) => signal.addEventListener("abort", () => this.#release(tenant), { once: true });
  }

  #release(tenant: string): void {
    const left = (this.#open.get(tenant) ?? 1) - 1;
    if (left === 0) this.#open.delete(tenant);
    else this.#open.set(tenant, left);
    this.#all--;
  }
}
