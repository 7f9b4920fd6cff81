/** Measures one part of docs/benchmarks.md; `args` are what stands after its name on the command line. */
export type Part = (args: readonly string[]) => Promise<Report>;

/** What a part measured. */
export interface Report {
  /** Markdown that begins with a heading of the second level. */
  readonly text: string;
  /** Whether everything was measured, and as often as it should be: only then it goes into the page. */
  readonly isWhole: boolean;
}
