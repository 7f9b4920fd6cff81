import type { IEventStore } from "../ports/event-store.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { CommandRequest } from "./command-request.ts";
import { GroupCommit } from "./group-commit.ts";
import { Lanes } from "./lanes.ts";
import type { Registry } from "./registry.ts";
import type { Rehydrator } from "./rehydrate.ts";
import { type Context, Trial } from "./trial.ts";

/** What carrying out commands needs. */
export interface ExecutorSetting {
  readonly store: IEventStore;
  readonly platform: IPlatform;
  readonly tracer: ITracer | undefined;
  readonly registry: Registry;
  readonly rehydrator: Rehydrator;
  /** How long conflicts are retried, in ms. */
  readonly deadline: number;
  readonly opensTenants: boolean;
  readonly isDevelopment: boolean;
}

/** Carries out commands: one after another on each aggregate, and sharing writes within each tenant. */
export class Executor {
  readonly #setting: ExecutorSetting;
  readonly #groups: GroupCommit;
  readonly #lanes = new Lanes();

  constructor(setting: ExecutorSetting) {
    this.#setting = setting;
    this.#groups = new GroupCommit(setting.store, setting.opensTenants, setting.tracer);
  }

  /** Carries out one checked command, in its aggregate's lane. */
  async carryOut(request: CommandRequest): Promise<Context> {
    const { key } = request.place;
    const waiting = this.#lanes.enter(key);
    if (waiting !== undefined) await waiting;
    try {
      return await new Trial(this.#setting, this.#groups, request).run();
    } finally {
      this.#lanes.leave(key);
      if (this.#setting.tracer !== undefined) trace(this.#setting.tracer, request);
    }
  }

  /** Runs a task while no command is on the aggregate with this key in this process. */
  async inLane<T>(key: string, task: () => Promise<T>): Promise<T> {
    await this.#lanes.enter(key);
    try {
      return await task();
    } finally {
      this.#lanes.leave(key);
    }
  }
}

function trace(tracer: ITracer, { place, command }: CommandRequest): void {
  tracer.trace(() => ({ method: "command", ...place.address, command: command.name }));
}
