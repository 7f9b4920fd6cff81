import type { IEventStore } from "../ports/event-store.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Registry } from "./registry.ts";
import type { Rehydrator } from "./rehydrate.ts";

/** What carrying out commands needs. */
export interface CommandSetting {
  readonly store: IEventStore;
  readonly platform: IPlatform;
  readonly tracer: ITracer | undefined;
  readonly registry: Registry;
  readonly rehydrator: Rehydrator;
  readonly groups: GroupCommit;
  /** How long conflicts are retried, in ms. */
  readonly deadline: number;
  readonly isDevelopment: boolean;
}
