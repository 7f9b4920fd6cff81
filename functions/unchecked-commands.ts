import type { AggregateClass, AggregateClasses } from "../core/index.ts";
import { ruleFor } from "../core/model/access.ts";

/**
 * The commands that clients may send and whose payload no schema checks: one that pushes its payload stores whatever came with it.
 *
 * What a command checks by itself cannot be seen from here.
 */
export function uncheckedCommands(aggregates: AggregateClasses): readonly string[] {
  return aggregates.flatMap((Type) =>
    Object.keys(new Type().commands).filter(
      (command) => maySomebodySend(Type, command) && !Object.hasOwn(Type.schemas ?? {}, command),
    ),
  );
}

function maySomebodySend({ access }: AggregateClass, command: string): boolean {
  const rule = ruleFor(access, command);
  return rule !== undefined && !(Array.isArray(rule) && rule.length === 0);
}
