import type { DeepReadonly, JsonObject } from "../model/json.ts";

/** What a reaction wants done; made by `send`, `schedule` and `cancel` of `Reaction`, carried out after the event was handled. */
export type Effect =
  | { readonly kind: "send"; readonly command: string; readonly data: CommandFields }
  | {
      readonly kind: "schedule";
      readonly key: string;
      /** ms since 1970. */
      readonly at: number;
      readonly command: string;
      readonly data: CommandFields;
    }
  | { readonly kind: "cancel"; readonly key: string };

/** A command's payload with `aggregateId` and `expectedVersion` beside it. */
export type CommandFields = DeepReadonly<JsonObject>;

/** One effect, several in order, or none. */
export type Effects = Effect | readonly Effect[] | undefined;

/** The effects as a list. */
export function listOf(effects: Effects): readonly Effect[] {
  if (effects === undefined) return [];
  return isOne(effects) ? [effects] : effects;
}

function isOne(effects: Effect | readonly Effect[]): effects is Effect {
  return !Array.isArray(effects);
}
