import { checkArgument, checkGiven } from "./arguments.ts";
import { checkId, checkName } from "./ids.ts";

/** How a commit names an actor; frozen, and one for each actor. Not part of the public API. */
export let signatureOf: (actor: Actor) => { readonly id: string; readonly name: string };

/** Who sends a command: always of one tenant, with roles in it. Deep-frozen. */
export class Actor {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  readonly #signature: { readonly id: string; readonly name: string };

  static {
    signatureOf = (actor) => actor.#signature;
  }

  /**
   * @throws {Err} `missing_argument` or `invalid_argument` that names the field: `actor.id` (1 to 256 bytes), `actor.name`
   * (default: the id), `actor.tenant` (a name: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`), `actor.roles` (an array of strings).
   */
  constructor(facts: {
    readonly id: string;
    readonly name?: string;
    readonly tenant: string;
    readonly roles: readonly string[];
  }) {
    checkGiven(typeof facts === "object" ? facts : undefined, "actor");
    checkGiven(facts.id, "actor.id");
    this.id = checkId(facts.id, "actor.id");
    this.name = checkId(facts.name ?? facts.id, "actor.name");
    this.tenant = checkName(facts.tenant, "actor.tenant");
    this.roles = checkRoles(facts.roles);
    this.#signature = Object.freeze({ id: this.id, name: this.name });
    Object.freeze(this);
  }
}

/** Returns `value` if it is an Actor, else throws. */
export function checkActor(value: unknown): Actor {
  checkGiven(value, "actor");
  checkArgument(value instanceof Actor, "actor", "make it with new Actor({ id, name, tenant, roles })");
  return value;
}

function checkRoles(value: unknown): readonly string[] {
  checkArgument(Array.isArray(value), "actor.roles", "give an array of strings");
  const areTexts = value.every((role) => typeof role === "string" && role !== "");
  checkArgument(areTexts, "actor.roles", "give strings that are not empty");
  return Object.freeze([...(value as string[])]);
}
