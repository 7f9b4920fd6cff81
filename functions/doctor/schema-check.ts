import type { AggregateClasses } from "../../core/index.ts";
import { uncheckedCommands } from "../unchecked-commands.ts";
import { type Check, ok, warning } from "./check.ts";

/** Warns of commands that clients may send with any payload. */
export function schemaCheck(aggregates: AggregateClasses): Check {
  return {
    claim: "each command that clients may send has a schema for its payload",
    asksCloud: false,
    examine: () => {
      const commands = uncheckedCommands(aggregates);
      return commands.length === 0
        ? ok()
        : warning(`Give these static schemas, unless they check every field of what they store: ${commands.join(", ")}.`);
    },
  };
}
