import { checkInteger } from "../model/arguments.ts";
import { Err } from "../model/errors.ts";
import { encodeView } from "../model/view.ts";
import type { Signal } from "../ports/platform.ts";
import type { Cursor } from "../ports/threads.ts";
import { Builder } from "./builder.ts";
import { findParked } from "./dead-letters.ts";
import { POINTER_ID, pointerOf, pointerTo } from "./generation.ts";
import { isOfGeneration, parkedOf } from "./held-aggregates.ts";
import { liveCursor, lookAtSide, otherOf, type Site, sideCursor, startOver, takeLive } from "./other-generation.ts";
import type { Progress } from "./progress.ts";
import type { RebuildProgress } from "./rebuild-meter.ts";
import { LONG_PATIENCE, StoppedWaiting, withThread } from "./thread-lease.ts";

export { siteOf } from "./other-generation.ts";

/** Settings of a rebuild, or of a roll back. */
export interface RebuildOptions {
  /** Stops after the current batch; the same call later continues where this one stopped. */
  readonly signal?: Signal;
  /** Called after each batch. */
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** Builds and catches up, but does not switch readers over: check `diff`, then call again without it. */
  readonly hold?: boolean;
  /** The most commits in a batch: 1 to 1,000, default 500. Each view is written once a batch. */
  readonly limit?: number;
}

/** The result of a rebuild. */
export interface Rebuilt {
  /** `switched`: readers see the new views. `ready`: built, but not switched (`hold`). `stopped`: the signal aborted. */
  readonly status: "switched" | "ready" | "stopped";
  /** The position up to which the new views are complete. */
  readonly position: number;
  /** Events that this call folded into views. */
  readonly events: number;
}

/** Builds the views of a projection anew beside the live ones, and switches readers over. */
export function rebuild(site: Site, options: RebuildOptions): Promise<Rebuilt> {
  return build(site, options, async (progress, found, live) => {
    const isUnderWay = found !== undefined && !found.isClearing && live.retired === undefined;
    return isUnderWay && (found.version ?? 0) === site.version ? found : startOver(site, progress, live);
  });
}

/** Brings the generation that was live before up to date with what happened since, and switches readers back. */
export function rollback(site: Site, options: RebuildOptions): Promise<Rebuilt> {
  return build(site, options, async (progress, found, live) => {
    const { retired } = live;
    if (retired === undefined || found?.isClearing)
      throw Err.notFound(
        `an earlier generation of ${site.collection}`,
        "only a rebuilt projection can be rolled back, until discard",
      );
    if ((retired.version ?? 0) !== site.version) throw Err.outdated(site.name, site.version, retired.version ?? 0);
    if (found !== undefined) return found;
    const begun = { ...retired, generation: otherOf(live) };
    progress.moveBack(site.name, begun);
    return begun;
  });
}

/** Deletes the generation that is not live: nothing can be rolled back to then, and a rebuild under way begins anew. */
export async function discard(site: Site): Promise<void> {
  await withThread(site.side, (progress) => clearOther(site, progress), LONG_PATIENCE);
}

/** The same under a lease of the side that somebody holds. */
export async function clearOther(site: Site, progress: Progress): Promise<void> {
  const begun = await startOver(site, progress, await takeLive(site));
  await new Builder(site, progress, begun, {}).clear();
}

type Begin = (progress: Progress, found: Cursor | undefined, live: Cursor) => Promise<Cursor>;

async function build(site: Site, options: RebuildOptions, begin: Begin): Promise<Rebuilt> {
  checkInteger(options.limit ?? 1, "limit", 1, 1_000);
  let builder: Builder | undefined;
  try {
    return await withThread(
      site.side,
      async (progress, state): Promise<Rebuilt> => {
        const live = await takeLive(site);
        const cursor = await begin(progress, sideCursor(site, state, live), live);
        builder = new Builder(site, progress, cursor, options);
        const isDone = (await builder.catchUp()) && (options.hold === true || (await switchOver(site, builder)));
        const status = isDone ? (options.hold ? "ready" : "switched") : "stopped";
        return { status, position: builder.position, events: builder.events };
      },
      LONG_PATIENCE,
    );
  } catch (error) {
    if (!(error instanceof StoppedWaiting)) throw error;
    const position = builder?.position ?? (await lookAtSide(site))?.position ?? 0;
    return { status: "stopped", position, events: builder?.events ?? 0 };
  }
}

/**
 * Switches readers over: under both leases the new views are brought to where the live ones stand, then one write moves the cursor to the
 * new generation and the pointer with it. False = the signal aborted first.
 *
 * Nobody else writes the new views then: whoever takes the side's lease also takes the main one for a moment, before it writes anything,
 * which fences this write if it is late.
 */
function switchOver(site: Site, builder: Builder): Promise<boolean> {
  const { main, name, collection } = site;
  return withThread(
    main,
    async (progress, state) => {
      const live = liveCursor(site, state);
      if (!(await builder.reach(live.position))) return false;
      await checkPassedOver(site, builder);
      const pointer = encodeView(pointerTo(collection, builder.generation));
      progress.writeView(pointerOf(collection), POINTER_ID, pointer);
      progress.move(name, switched(live, site, builder));
      return true;
    },
    LONG_PATIENCE,
  );
}

/** @throws {Err} `precondition` where the new views lack an event that the operator passed over, and wanted back since. */
async function checkPassedOver({ main, side, name }: Site, { generation }: Builder): Promise<void> {
  for await (const passed of parkedOf(side, name)) {
    if (!isOfGeneration(passed, generation) || (await findParked(main, passed))?.reason !== undefined) continue;
    const { position, index } = passed;
    throw Err.precondition(
      `the new views of ${name} lack the event ${index} at position ${position}, which was skipped and retried since: discard them, and rebuild`,
    );
  }
}

/** The live cursor after the switch; it remembers where it left the other generation. */
function switched({ position, version, failure, isClearing }: Cursor, site: Site, builder: Builder): Cursor {
  const { collection } = site;
  const retired = { position, ...(version && { version }), ...(failure && { failure }) };
  return {
    position: builder.position,
    collection,
    ...(site.version > 0 && { version: site.version }),
    ...(builder.generation > 0 && { generation: builder.generation }),
    ...(builder.failure && { failure: builder.failure }),
    // A generation that comes back may have dead letters.
    isParking: true,
    // Views that a rewind was deleting are nothing to come back to.
    ...(isClearing ? {} : { retired }),
  };
}
