import { ORDER_RULES } from "../../adapters/dynamodb/order-rules.ts";
import type { Plan } from "./dynamodb-scenario.ts";

/** A rule of the protocol, broken; each of these was once somebody's simpler idea. */
export interface PlantedBug extends Plan {
  readonly title: string;
}

const { judge, write } = ORDER_RULES;
const ABSENT = { expression: "attribute_not_exists(pk)" };

/** Eight ways to lose, double or misorder an event, or never to come to an end. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    title: "readers never seal",
    rules: { ...ORDER_RULES, maySeal: () => false },
  },
  {
    title: "a seal is put whatever is there",
    rules: { ...ORDER_RULES, seal: () => undefined },
  },
  {
    title: "a missing ref is skipped",
    rules: { ...ORDER_RULES, judge: (item, ref, position) => (item === undefined ? "void" : judge(item, ref, position)) },
  },
  {
    title: "the cursor moves past a ref in flight",
    spoil: (page) => (page.waiting === undefined ? page : { ...page, next: page.next + 1 }),
  },
  {
    title: "a ref is void by what lies there alone, whatever position it voids",
    rules: {
      ...ORDER_RULES,
      judge: (item, ref, position) => (typeof item?.sealed === "number" ? "void" : judge(item, ref, position)),
    },
  },
  {
    title: "a tombstone is taken over whatever position it voids",
    rules: { ...ORDER_RULES, write: () => ({ expression: "attribute_not_exists(pk) OR attribute_exists(#sealed)" }) },
  },
  {
    title: "a doubled ticket is delivered twice",
    rules: {
      ...ORDER_RULES,
      judge: (item, ref, position) => (item?.commitId === ref.commitId ? "deliver" : judge(item, ref, position)),
    },
  },
  {
    title: "a verified read only checks that nothing is there",
    rules: {
      ...ORDER_RULES,
      // A tombstone of this very commit's positions or earlier ones must not stop it for ever.
      verify: (position) => ({
        raises: false,
        condition: { expression: `${ABSENT.expression} OR #sealed < :q`, values: write(position).values ?? {} },
      }),
    },
  },
];
