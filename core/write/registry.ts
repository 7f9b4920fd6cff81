import { type Access, type AccessRule, ruleFor } from "../model/access.ts";
import { type AggregateClass, type AnyAggregate, typeOf } from "../model/aggregate.ts";
import { Err } from "../model/errors.ts";
import { checkName } from "../model/ids.ts";
import type { StandardSchema } from "../model/schema.ts";
import { planOf, type SnapshotPlan } from "../model/snapshot.ts";
import type { UpcasterMap } from "../model/upcast.ts";

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
  readonly #types = new Set<string>();

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
    if (name === undefined || name === null || name === "") throw Err.missingArgument("command");
    const command = typeof name === "string" ? this.#commands.get(name) : undefined;
    if (command === undefined) throw Err.invalidArgument("command", `no aggregate has a command named ${String(name)}`);
    return command;
  }

  /** The registration of a class; one that the handler was not made with (read through `context.load`) is checked at first sight. */
  of(Type: AggregateClass): Registration {
    let registration = this.#classes.get(Type);
    if (registration === undefined) {
      registration = register(Type);
      const { type } = registration;
      if (this.#types.has(type)) throw Err.invalidArgument(`${Type.name}.path`, `/${type} is another class's: give each its own`);
      this.#types.add(type);
      this.#classes.set(Type, registration);
    }
    return registration;
  }

  #addCommand(name: string, owner: Registration): void {
    const other = this.#commands.get(name);
    if (other !== undefined) {
      throw Err.invalidArgument(
        `${owner.Type.name}.commands`,
        `${name} is already a command of ${other.owner.Type.name}: rename one`,
      );
    }
    const schemas = owner.Type.schemas;
    const schema = schemas !== undefined && Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    this.#commands.set(name, { name, owner, rule: ruleFor(owner.Type.access, name), schema });
  }
}

function register(Type: AggregateClass): Registration {
  if (typeof Type !== "function") throw Err.invalidArgument("aggregates", "give classes that extend Aggregate");
  const type = checkName(typeof Type.path === "string" ? typeOf(Type) : Type.path, `${Type.name}.path`);
  const probe = new Type();
  const commandNames = namesOf(probe, "commands", Type.name);
  const eventNames = namesOf(probe, "events", Type.name);
  checkAccess(Type.access, commandNames, Type.name);
  checkSchemas(Type.schemas, commandNames, Type.name);
  checkUpcasters(Type.upcasters, eventNames, Type.name);
  return Object.freeze({ Type, type, plan: checkPlan(Type), commandNames });
}

function namesOf(probe: AnyAggregate, member: "commands" | "events", owner: string): readonly string[] {
  const map: unknown = probe[member];
  if (typeof map !== "object" || map === null) throw Err.missingArgument(`${owner}.${member}`);
  const names = Object.keys(map);
  if (names.length === 0) throw Err.missingArgument(`${owner}.${member}`);
  for (const name of names) {
    if (typeof (map as Record<string, unknown>)[name] !== "function") throw Err.notImplemented(`${owner}.${member}.${name}`);
  }
  return names;
}

function checkAccess(access: Access | undefined, commandNames: readonly string[], owner: string): void {
  const name = `${owner}.access`;
  if (access === undefined || access === null) throw Err.missingArgument(name);
  if (access === "tenant") return;
  if (typeof access !== "object") throw Err.invalidArgument(name, 'give "tenant" or a map from command to roles');
  for (const [command, rule] of Object.entries(access)) {
    if (!commandNames.includes(command)) throw Err.invalidArgument(name, `${command} is no command of it: remove it`);
    const isRule =
      rule === "tenant" || typeof rule === "function" || (Array.isArray(rule) && rule.every((role) => typeof role === "string"));
    if (!isRule) throw Err.invalidArgument(`${name}.${command}`, 'give "tenant", an array of roles, or a predicate');
  }
}

function checkSchemas(schemas: AggregateClass["schemas"], commandNames: readonly string[], owner: string): void {
  const name = `${owner}.schemas`;
  for (const [command, schema] of Object.entries(schemas ?? {})) {
    if (!commandNames.includes(command)) throw Err.invalidArgument(name, `${command} is no command of it: remove it`);
    if (typeof schema?.["~standard"]?.validate !== "function")
      throw Err.invalidArgument(`${name}.${command}`, "give a Standard Schema");
  }
}

function checkUpcasters(upcasters: UpcasterMap | undefined, eventNames: readonly string[], owner: string): void {
  const name = `${owner}.upcasters`;
  for (const [event, chain] of Object.entries(upcasters ?? {})) {
    if (!eventNames.includes(event)) throw Err.invalidArgument(name, `${event} is no event of it: remove it`);
    const isChain = Array.isArray(chain) && chain.every((step) => typeof step === "function");
    if (!isChain) throw Err.invalidArgument(`${name}.${event}`, "give an array of functions");
  }
}

function checkPlan(Type: AggregateClass): SnapshotPlan {
  const plan = planOf(Type.snapshot);
  const isValid =
    Number.isSafeInteger(plan.every) && plan.every >= (Type.snapshot === false ? 0 : 1) && Number.isSafeInteger(plan.schema);
  if (!isValid)
    throw Err.invalidArgument(`${Type.name}.snapshot`, "give true, false, or { every, schema } as integers, every at least 1");
  return plan;
}
