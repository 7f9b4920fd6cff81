import type { StoredEvent } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { applyCommits, create } from "../model/fold.ts";
import type { JsonObject } from "../model/json.ts";
import { redacted } from "../model/redact.ts";
import type { PendingCommit } from "../ports/event-store.ts";
import { fullJitter } from "../ports/full-jitter.ts";
import type { CommandSetting } from "./command-setting.ts";
import { Participant } from "./participant.ts";
import type { Place } from "./places.ts";
import { EVERYTHING, FREE } from "./rehydrate.ts";

/** What a note's commit says that ran, and who sent it: an operator's move has no actor of the tenant. */
const COMMAND = "redact";
const OPERATOR = Object.freeze({ id: "operator", name: "operator" });

/** How long the first retry after a conflict waits at most, in ms, and how long the later ones do. */
const FIRST_BACKOFF = 4;
const LONGEST_BACKOFF = 250;

/**
 * Rewrites an aggregate's payloads, then notes it: with a commit without events at the next version, and a snapshot of the new state.
 *
 * Whoever still has the old state wants that version too: they conflict, and load again. Who was faster may have put something of the old
 * state into an event, so everything is rewritten again: the note comes only behind commits that all were.
 */
export async function redact(
  setting: CommandSetting,
  place: Place,
  redactor: (event: StoredEvent) => JsonObject,
): Promise<number> {
  const { store, platform, deadline } = setting;
  const at = platform.now();
  let end: number | undefined;
  for (let tries = 0; ; tries++) {
    const life = await rehearse(setting, place, redactor, at);
    const count = await store.redact(place.address, redactor, at);
    if (count === 0) return 0;
    const actual = await note(setting, place, count, life);
    if (actual === undefined) return count;
    // Not from the start: to rewrite many commits may take longer.
    end ??= platform.now() + deadline;
    if (platform.now() >= end) throw Err.concurrency(place.address, count - 1, actual);
    await platform.sleep(fullJitter(tries, FIRST_BACKOFF, LONGEST_BACKOFF, () => platform.random()));
  }
}

/**
 * Folds what the redactor gives, because once it is written nobody could load an aggregate that cannot be folded; returns the tenant's life.
 * @throws what the redactor or the class does, and {ValidationError} for payloads, or for a state that cannot be kept.
 */
async function rehearse(
  { store }: CommandSetting,
  place: Place,
  redactor: (event: StoredEvent) => JsonObject,
  at: number,
): Promise<string> {
  const { registration, address } = place;
  const { commits, life } = await store.load(address, EVERYTHING);
  const aggregate = create(registration.Type, address.id);
  const rewritten = commits.map((commit) => redacted(commit, redactor, at));
  applyCommits(registration.Type, aggregate, rewritten);
  new Participant(place, { aggregate, life, isCached: false, cost: FREE }, true).write(true);
  return life;
}

/** Writes the note at a version. Where somebody was faster, or the tenant lives anew, resolves to the aggregate's version instead. */
async function note(
  { store, platform, rehydrator }: CommandSetting,
  place: Place,
  version: number,
  life: string,
): Promise<number | undefined> {
  const found = await rehydrator.load(place, "events");
  const { aggregateVersion } = found.aggregate;
  if (aggregateVersion !== version - 1) return aggregateVersion;
  const pending: PendingCommit = Object.freeze({
    commitId: platform.newId(),
    writes: Object.freeze([new Participant(place, found, true).write(true)]),
    verified: Object.freeze([]),
    life,
    command: COMMAND,
    actor: OPERATOR,
    at: platform.now(),
  });
  const [outcome] = await store.commit(place.address.tenant, [pending]);
  if (outcome?.status === "failed") throw outcome.error;
  if (outcome?.status === "committed") return undefined;
  return outcome?.status === "conflict" ? outcome.actual : aggregateVersion;
}
