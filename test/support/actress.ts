import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  type CommandOptions,
  type EmptyPayload,
  type EventOf,
} from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "./actors.ts";
import { countedStore } from "./counted-store.ts";

/** What a test tells an actress to do. */
export type Script = (context: CommandContext<Actress, { line: string }>) => Promise<void> | void;

/** An aggregate whose one command does what the test tells it to do. */
export class Actress extends Aggregate<{ Said: { line: string }; Left: EmptyPayload }> {
  static readonly path = "/actresses";
  static readonly access = "tenant";
  static script: Script = () => {};
  lines: string[] = [];
  get commands() {
    return { Act: (context: CommandContext<Actress, { line: string }>) => Actress.script(context) };
  }
  get events() {
    return {
      Said: ({ payload }: EventOf<Actress, "Said">) => {
        this.lines.push(payload.line);
      },
      Left: () => {
        this.lines.push("(left)");
      },
    };
  }
}

/** A handler of actresses on a store that notes what it is asked. */
export function scene() {
  const { store, loads, groups } = countedStore();
  const handler = new CommandHandler(store, [Actress, SummingCalculator]);
  const act = (does: Script, id: { aggregateId?: string; expectedVersion?: number } = {}, options?: CommandOptions) => {
    Actress.script = does;
    return handler.command(actorOf("t"), "Act", { line: "to be", ...id }, options);
  };
  return { store, handler, loads, groups, act };
}
