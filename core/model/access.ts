import type { Actor } from "./actor.ts";
import { own } from "./own.ts";

/** Decides by the actor and the aggregate's state; must be pure and not change the aggregate. */
export type AccessPredicate = (actor: Actor, aggregate: never) => boolean;

/** Who may send one command: any actor of the tenant, actors with one of the roles, or whom the predicate admits. */
export type AccessRule = "tenant" | readonly string[] | AccessPredicate;

/** Who may send which command of an aggregate class: one rule for all, or a rule by command name; deny by absence. */
export type Access = "tenant" | Readonly<Record<string, AccessRule>>;

/**
 * Who may read what Evenant keeps for clients (a projection's views, an aggregate's published snapshots) straight from the database:
 * everybody of the tenant, or members with one of these roles; absent = nobody.
 */
export type Readers = "tenant" | readonly string[];

/** The rule for a command; undefined, which denies, where there is none. */
export function ruleFor(access: Access, command: string): AccessRule | undefined {
  return access === "tenant" ? access : own(access, command);
}

/** Whether the actor may send the command, as far as can be said before the state is known: a predicate is asked later. */
export function admits(rule: AccessRule | undefined, actor: Actor): boolean {
  if (rule === undefined) return false;
  return rule === "tenant" || typeof rule === "function" || rule.some((role) => actor.roles.includes(role));
}
