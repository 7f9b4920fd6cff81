import type { StoredEvent } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { PendingCommit } from "../ports/event-store.ts";
import { fullJitter } from "../ports/full-jitter.ts";
import type { CommandSetting } from "./command-setting.ts";
import { Participant } from "./participant.ts";
import type { Place } from "./places.ts";

/** What a note's commit says that ran, and who sent it: an operator's move has no actor of the tenant. */
const COMMAND = "redact";
const OPERATOR = Object.freeze({ id: "operator", name: "operator" });

/** How long the first retry after a conflict waits at most, in ms, and how long the later ones do. */
const FIRST_BACKOFF = 4;
const LONGEST_BACKOFF = 250;

/**
 * Rewrites an aggregate's payloads, then notes it: with a commit without events at the next version, and a snapshot of the new state.
 *
 * Whoever still has the old state wants that version too: they conflict, and load again. A snapshot that they wrote in between is older than
 * the note, and so void.
 */
export async function redact(
  setting: CommandSetting,
  place: Place,
  redactor: (event: StoredEvent) => JsonObject,
): Promise<number> {
  const { store, platform } = setting;
  const count = await store.redact(place.address, redactor, platform.now());
  if (count > 0) await note(setting, place);
  return count;
}

async function note({ store, platform, rehydrator, deadline }: CommandSetting, place: Place): Promise<void> {
  const end = platform.now() + deadline;
  for (let tries = 0; ; tries++) {
    const found = await rehydrator.load(place, "events");
    const write = new Participant(place, found, true).write(true);
    const pending: PendingCommit = Object.freeze({
      commitId: platform.newId(),
      writes: Object.freeze([write]),
      verified: Object.freeze([]),
      ...(found.life !== undefined && { life: found.life }),
      command: COMMAND,
      actor: OPERATOR,
      at: platform.now(),
    });
    const [outcome] = await store.commit(place.address.tenant, [pending]);
    if (outcome?.status === "committed") return;
    if (outcome?.status === "failed") throw outcome.error;
    if (platform.now() >= end) {
      throw Err.concurrency(place.address, write.version - 1, outcome?.status === "conflict" ? outcome.actual : write.version);
    }
    await platform.sleep(fullJitter(tries, FIRST_BACKOFF, LONGEST_BACKOFF, () => platform.random()));
  }
}
