import { firestoreEmulator } from "./firestore-emulator.ts";

/** A boolean expression of the rules, and what it was seen to be. */
export interface Condition {
  readonly line: number;
  readonly text: string;
  readonly isSeenTrue: boolean;
  readonly isSeenFalse: boolean;
}

/** What the emulator saw of the rules of a project. */
export interface CoverageReport {
  readonly conditions: readonly Condition[];
}

interface Expression {
  readonly sourcePosition?: { readonly line?: number; readonly currentOffset?: number; readonly endOffset?: number };
  readonly values?: readonly { readonly value?: { readonly boolValue?: boolean } }[];
  readonly children?: readonly Expression[];
}

interface RawReport {
  readonly rules: { readonly files: readonly { readonly content: string }[] };
  readonly report?: readonly Expression[];
}

/** Gets the emulator's report on a project; an expression that was never reached counts as a condition that was never seen. */
export async function reportOf(projectId: string): Promise<CoverageReport> {
  const { host } = await firestoreEmulator();
  const answer = await fetch(`http://${host}/emulator/v1/projects/${projectId}:ruleCoverage`);
  const { rules, report = [] } = (await answer.json()) as RawReport;
  const source = rules.files[0]?.content ?? "";
  return { conditions: report.flatMap((expression) => conditionsIn(expression, source)) };
}

/** The conditions that were not seen both true and false. */
export function onesided({ conditions }: CoverageReport): readonly Condition[] {
  return conditions.filter(({ isSeenTrue, isSeenFalse }) => !isSeenTrue || !isSeenFalse);
}

function conditionsIn({ sourcePosition, values = [], children = [] }: Expression, source: string): readonly Condition[] {
  const { line = 0, currentOffset = 0, endOffset = 0 } = sourcePosition ?? {};
  const booleans = values.map(({ value }) => value?.boolValue);
  const isCondition = values.length === 0 || booleans.some((value) => value !== undefined);
  const own = {
    line,
    text: source.slice(currentOffset, endOffset + 1),
    isSeenTrue: booleans.includes(true),
    isSeenFalse: booleans.includes(false),
  };
  return [...(isCondition ? [own] : []), ...children.flatMap((child) => conditionsIn(child, source))];
}
