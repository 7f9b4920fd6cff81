/** A function of the stack. */
export type FunctionName = "http" | "onStream" | "sweep";

/** How each function runs: what Lambda gives it, in s and MB, and which file of the bundle it is. */
export const FUNCTIONS: Readonly<
  Record<FunctionName, { readonly id: string; readonly file: string; readonly timeout: number; readonly memory: number }>
> = {
  http: { id: "Http", file: "http", timeout: 15, memory: 1024 },
  onStream: { id: "OnStream", file: "on-stream", timeout: 60, memory: 512 },
  sweep: { id: "Sweep", file: "sweep", timeout: 240, memory: 512 },
};
export const NAMES = Object.keys(FUNCTIONS) as readonly FunctionName[];

/** The files of the bundle that Lambda calls. */
export const ENTRIES: readonly string[] = NAMES.map((name) => FUNCTIONS[name].file);

/** How long the function of a file may take, in s. */
export function timeoutOf(entry: string): number {
  return Object.values(FUNCTIONS).find(({ file }) => file === entry)?.timeout ?? 0;
}

/** The logical id of a function; its role's is the same with `Role` behind. */
export function idOf(name: FunctionName): string {
  return FUNCTIONS[name].id;
}
