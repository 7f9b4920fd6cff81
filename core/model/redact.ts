import { bytesOf, type Commit, LIMITS, type StoredEvent } from "./commit.ts";
import { ValidationError } from "./errors.ts";
import { encodeObject, type JsonObject } from "./json.ts";

/**
 * A frozen copy of a commit with the payloads that `redactor` gives for its events, marked with `redactedAt` (ms); all else stays.
 * @throws {ValidationError} for a payload that is no JSON object, or payloads too large for one commit.
 */
export function redacted<C extends Commit>(commit: C, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): C {
  const events = commit.events.map((event): StoredEvent => {
    const { name, schemaVersion } = event;
    return Object.freeze({ name, payload: encodeObject(redactor(event), `redacted ${name}`).value, schemaVersion });
  });
  const size = bytesOf(events);
  if (size > LIMITS.commitBytes) {
    throw new ValidationError("redacted", `has ${size} bytes: keep a commit within ${LIMITS.commitBytes}`);
  }
  return Object.freeze({ ...commit, events: Object.freeze(events), redactedAt });
}
