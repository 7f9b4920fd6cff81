import { type AccessRule, ruleFor } from "../model/access.ts";
import { type AggregateClass, type AnyAggregate, typeOf } from "../model/aggregate.ts";
import { checkArgument, checkGiven } from "../model/arguments.ts";
import { Err } from "../model/errors.ts";
import { checkName } from "../model/ids.ts";
import { own } from "../model/own.ts";
import type { StandardSchema } from "../model/schema.ts";
import { planOf, type SnapshotPlan } from "../model/snapshot.ts";

/** An aggregate class, checked once. */
export interface Registration {
  readonly Type: AggregateClass;
  readonly type: string;
  readonly plan: SnapshotPlan;
  readonly commandNames: readonly string[];
}

/** A command, found by its name. */
export interface RegisteredCommand {
  readonly name: string;
  readonly owner: Registration;
  readonly rule: AccessRule | undefined;
  readonly schema: StandardSchema | undefined;
}

/** Knows the aggregate classes of one handler by class and by command name; refuses what would fail later. */
export class Registry {
  readonly #commands = new Map<string, RegisteredCommand>();
  readonly #classes = new Map<AggregateClass, Registration>();

  /** @throws {Err} that names the class and what to declare: a path, `access`, commands, events; or names that clash. */
  constructor(classes: readonly AggregateClass[]) {
    if (!Array.isArray(classes) || classes.length === 0) throw Err.missingArgument("aggregates");
    for (const Type of classes) {
      const registration = this.of(Type);
      for (const name of registration.commandNames) this.#addCommand(name, registration);
    }
  }

  /** @throws {Err} `missing_argument` or `invalid_argument` for a name that is absent or no command's. */
  command(name: unknown): RegisteredCommand {
    checkGiven(name, "command");
    const command = this.#commands.get(name as string);
    if (command === undefined) throw Err.unknownCommand(String(name));
    return command;
  }

  /** The registration of a class; one that the handler was not made with (read through `context.load`) is checked at first sight. */
  of(Type: AggregateClass): Registration {
    let registration = this.#classes.get(Type);
    if (registration === undefined) {
      registration = register(Type);
      const { type } = registration;
      const isFree = [...this.#classes.values()].every((other) => other.type !== type);
      checkArgument(isFree, `${Type.name}.path`, `another class has the path /${type}: give each class its own`);
      this.#classes.set(Type, registration);
    }
    return registration;
  }

  #addCommand(name: string, owner: Registration): void {
    const { Type } = owner;
    const other = this.#commands.get(name)?.owner.Type.name;
    checkArgument(other === undefined, `${Type.name}.commands`, `${name} is already a command of ${other}: rename one`);
    this.#commands.set(name, { name, owner, rule: ruleFor(Type.access, name), schema: own(Type.schemas, name) });
  }
}

function register(Type: AggregateClass): Registration {
  checkArgument(typeof Type === "function", "aggregates", "give classes that extend Aggregate");
  const { name, path, access, schemas, upcasters } = Type;
  const type = checkName(typeof path === "string" ? typeOf(Type) : path, `${name}.path`);
  const probe = new Type();
  const commandNames = namesOf(probe, "commands", name);
  const eventNames = namesOf(probe, "events", name);
  checkGiven(access, `${name}.access`);
  if (access !== "tenant") {
    checkArgument(typeof access === "object", `${name}.access`, 'give "tenant" or a map from command to roles');
    checkMap(access, `${name}.access`, "command", commandNames, isRule, 'give "tenant", an array of roles, or a predicate');
  }
  checkMap(schemas, `${name}.schemas`, "command", commandNames, isSchema, "give a Standard Schema");
  checkMap(
    upcasters,
    `${name}.upcasters`,
    "event",
    eventNames,
    (chain) => isArrayOf(chain, "function"),
    "give an array of functions",
  );
  return Object.freeze({ Type, type, plan: checkPlan(Type), commandNames });
}

function namesOf(probe: AnyAggregate, member: "commands" | "events", owner: string): readonly string[] {
  const functions = Object.entries<unknown>(probe[member] ?? {});
  if (functions.length === 0) throw Err.missingArgument(`${owner}.${member}`);
  return functions.map(([name, value]) => {
    if (typeof value !== "function") throw Err.notImplemented(`${owner}.${member}.${name}`);
    return name;
  });
}

/** Checks what a class declares by the names of its commands or events: nothing for a name that there is not, and each of the right kind. */
function checkMap<T>(
  map: Readonly<Record<string, T>> | undefined,
  what: string,
  kind: "command" | "event",
  names: readonly string[],
  isRight: (value: T) => boolean,
  expected: string,
): void {
  for (const [name, value] of Object.entries(map ?? {})) {
    checkArgument(names.includes(name), what, `it has no ${kind} named ${name}: remove the entry, or correct its name`);
    checkArgument(isRight(value), `${what}.${name}`, expected);
  }
}

function isRule(rule: AccessRule): boolean {
  return rule === "tenant" || typeof rule === "function" || isArrayOf(rule, "string");
}

function isSchema(schema: StandardSchema): boolean {
  return typeof schema?.["~standard"]?.validate === "function";
}

function isArrayOf(value: unknown, kind: "string" | "function"): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === kind);
}

function checkPlan({ name, snapshot }: AggregateClass): SnapshotPlan {
  const plan = planOf(snapshot);
  const isValid =
    Number.isSafeInteger(plan.every) && plan.every >= (snapshot === false ? 0 : 1) && Number.isSafeInteger(plan.schema);
  checkArgument(isValid, `${name}.snapshot`, "give true, false, or { every, schema } as integers, every at least 1");
  return plan;
}
