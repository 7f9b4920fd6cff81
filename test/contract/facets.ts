import { append } from "./append.ts";
import type { Facet } from "./clause.ts";
import { codec } from "./codec.ts";
import { cursors } from "./cursors.ts";
import { engineBursts } from "./engine-bursts.ts";
import { engineCommands } from "./engine-commands.ts";
import { engineDeadLetters } from "./engine-dead-letters.ts";
import { engineExactlyOnce } from "./engine-exactly-once.ts";
import { engineForgetting } from "./engine-forgetting.ts";
import { engineInput } from "./engine-input.ts";
import { engineReaders } from "./engine-readers.ts";
import { engineReadingInput } from "./engine-reading-input.ts";
import { engineRebuild } from "./engine-rebuild.ts";
import { engineRebuildFailures } from "./engine-rebuild-failures.ts";
import { engineRedaction } from "./engine-redaction.ts";
import { engineReplay } from "./engine-replay.ts";
import { engineResends } from "./engine-resends.ts";
import { engineRewinds } from "./engine-rewinds.ts";
import { engineUnknown } from "./engine-unknown.ts";
import { erasure } from "./erasure.ts";
import { generations } from "./generations.ts";
import { ids } from "./ids.ts";
import { leases } from "./leases.ts";
import { limits } from "./limits.ts";
import { lives } from "./lives.ts";
import { loading } from "./loading.ts";
import { moving } from "./moving.ts";
import { order } from "./order.ts";
import { orderRaces } from "./order-races.ts";
import { ownership } from "./ownership.ts";
import { parked } from "./parked.ts";
import { projections } from "./projections.ts";
import { receipts } from "./receipts.ts";
import { redaction } from "./redaction.ts";
import { registry } from "./registry.ts";
import { resends } from "./resends.ts";
import { snapshots } from "./snapshots.ts";
import { tenancy } from "./tenancy.ts";
import { verified } from "./verified.ts";
import { viewPages } from "./view-pages.ts";

/** Every facet of the store contract. */
export const FACETS: readonly Facet[] = [
  append,
  resends,
  verified,
  loading,
  order,
  orderRaces,
  tenancy,
  snapshots,
  receipts,
  leases,
  cursors,
  parked,
  projections,
  ownership,
  viewPages,
  generations,
  codec,
  ids,
  limits,
  registry,
  erasure,
  lives,
  moving,
  redaction,
  engineInput,
  engineCommands,
  engineBursts,
  engineResends,
  engineUnknown,
  engineReaders,
  engineReadingInput,
  engineExactlyOnce,
  engineRebuild,
  engineRebuildFailures,
  engineRedaction,
  engineReplay,
  engineRewinds,
  engineDeadLetters,
  engineForgetting,
];
