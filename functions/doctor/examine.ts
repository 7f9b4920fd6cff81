import type { Check, Finding } from "./check.ts";

/** How long one check may take, in ms. */
const DEADLINE = 10_000;

/** A check and what it found. */
export interface Examined {
  readonly claim: string;
  readonly finding: Finding;
}

/** Carries out every check, each within its time; together, because they only read. */
export async function examine(checks: readonly Check[], deadline = DEADLINE): Promise<readonly Examined[]> {
  return Promise.all(checks.map(async (check) => ({ claim: check.claim, finding: await findingOf(check, deadline) })));
}

/** The report for people, a line for each check, and a closing one. */
export function report(examined: readonly Examined[]): string {
  const lines = examined.map(({ claim, finding }) => {
    if (finding.status === "ok") return `ok     ${claim}${finding.fact === undefined ? "" : ` (${finding.fact})`}`;
    return `${finding.status === "wrong" ? "WRONG " : "warn  "} ${claim}\n       ${finding.advice}`;
  });
  const wrong = examined.filter(({ finding }) => finding.status === "wrong").length;
  const isWell = examined.every(({ finding }) => finding.status === "ok");
  const last = isWell ? "All is well." : wrong === 0 ? "Nothing must be mended." : `${wrong} of ${examined.length} to mend.`;
  return [...lines, last, ""].join("\n");
}

async function findingOf({ examine: look }: Check, deadline: number): Promise<Finding> {
  const late = AbortSignal.timeout(deadline);
  const tooLate = new Promise<Finding>((resolve) => {
    const advice = `It could not be checked within ${deadline / 1000} s: is the network there?`;
    late.addEventListener("abort", () => resolve({ status: "wrong", advice }), { once: true });
  });
  try {
    return await Promise.race([look(late), tooLate]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: "wrong", advice: `It could not be checked: ${firstLine(reason)}` };
  }
}

/** SDKs put whole documents into their messages. */
function firstLine(text: string): string {
  return (text.split("\n", 1)[0] ?? "").slice(0, 300);
}
