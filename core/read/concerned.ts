import type { PositionedCommit, StoredEvent } from "../model/commit.ts";
import { checkId } from "../model/ids.ts";
import { own } from "../model/own.ts";
import { type UpcasterMap, upcast } from "../model/upcast.ts";
import type { AnyHandler } from "./subscriber.ts";

/**
 * The ids of the views that a projection's events in these commits concern, each once; none for a handler that keeps no views.
 *
 * An event whose upcaster or `id` throws concerns no view: it is the keeper's failure, and changed nothing.
 */
export function viewsConcerned(
  handler: AnyHandler,
  upcasters: ReadonlyMap<string, UpcasterMap>,
  commits: readonly PositionedCommit[],
): ReadonlySet<string> {
  const ids = new Set<string>();
  if (!("collection" in handler)) return ids;
  const steps = handler.events as Readonly<Record<string, Step | undefined>>;
  for (const commit of commits) {
    for (const event of commit.events) {
      const step = own(steps, event.name);
      if (step === undefined) continue;
      try {
        const id = step.id(upcast(event, upcasters.get(commit.type)), commit);
        if (id !== undefined) ids.add(checkId(id, "id"));
      } catch {}
    }
  }
  return ids;
}

interface Step {
  id(event: StoredEvent, commit: PositionedCommit): string | undefined;
}
