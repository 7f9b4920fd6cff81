import { type Actor, type AggregateClass, Err, type Readers } from "../core/index.ts";
import { type AccessPredicate, type AccessRule, admits, ruleFor } from "../core/model/access.ts";
import { create } from "../core/model/fold.ts";
import type { Service } from "./composition.ts";

/** Who may read a tenant's whole log, and every history: they hold every payload of everybody. */
const AUDITOR = "auditor";

/** Whether an actor is among those whom a declaration of readers names. */
function isReader(actor: Actor, readers: Readers | undefined): boolean {
  return readers === "tenant" || readers?.some((role) => actor.roles.includes(role)) === true;
}

/**
 * Lets an actor see an aggregate's state, at any version: the readers that its class declares, who may read the same in Firestore, and
 * whoever may send one of its commands now, because each command answers the state.
 *
 * Reads the aggregate only where its state decides, and then answers the same whether it exists or not.
 * @throws {Err} `authorization`
 */
export async function checkMayReadState(service: Service, actor: Actor, Type: AggregateClass, id: string): Promise<void> {
  if (isReader(actor, Type.readers) || (await maySendSome(service, actor, Type, id))) return;
  throw denied(
    actor,
    `may not read ${Type.path} ${id}: it needs a role of its readers, or one that its access grants a command to`,
  );
}

/**
 * Lets an actor see an aggregate's history: auditors, and whoever may send one of its commands now. Readers may not: they are
 * declared for what the state shows, and the events hold everything that anybody ever sent.
 *
 * @throws {Err} `authorization`
 */
export async function checkMayReadHistory(service: Service, actor: Actor, Type: AggregateClass, id: string): Promise<void> {
  if (actor.roles.includes(AUDITOR) || (await maySendSome(service, actor, Type, id))) return;
  throw denied(
    actor,
    `may not read the history of ${Type.path} ${id}: it needs the role ${AUDITOR}, or one that sends its commands`,
  );
}

/** Lets auditors alone see the log of the tenant. @throws {Err} `authorization` */
export function checkMayReadLog(actor: Actor): void {
  if (!actor.roles.includes(AUDITOR)) throw denied(actor, `may not read the log of the tenant: it needs the role ${AUDITOR}`);
}

/** Lets a projection's readers see its views. @throws {Err} `authorization` */
export function checkMayReadViews(actor: Actor, collection: string, readers: Readers | undefined): void {
  if (isReader(actor, readers)) return;
  const needed = readers === undefined ? "its projection declares no readers" : "it needs a role that its readers name";
  throw denied(actor, `may not read ${collection}: ${needed}`);
}

async function maySendSome({ handler }: Service, actor: Actor, Type: AggregateClass, id: string): Promise<boolean> {
  const rules = Object.keys(new Type().commands).map((command) => ruleFor(Type.access, command));
  if (rules.some((rule) => !isPredicate(rule) && admits(rule, actor))) return true;
  const predicates = rules.filter(isPredicate);
  if (predicates.length === 0) return false;
  const aggregate = (await handler.load(actor, Type, id)) ?? create(Type, id);
  return predicates.some((isAdmitted) => isAdmitted(actor, aggregate as never));
}

function isPredicate(rule: AccessRule | undefined): rule is AccessPredicate {
  return typeof rule === "function";
}

function denied(actor: Actor, sentence: string): Err {
  return new Err("authorization", `actor ${actor.id} ${sentence}`);
}
