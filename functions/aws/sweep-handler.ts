import type { Context } from "aws-lambda";
import type { Log } from "../log.ts";
import type { Sweep, Swept } from "../sweep.ts";

/** What a handler may need for the commit in hand when its time is over, in ms. */
const MARGIN = 5_000;

/** Makes the Lambda handler of the schedule; what the event says does not matter. */
export function sweepHandler(sweep: Sweep, { polls }: { readonly polls: number }, log: Log) {
  return async (_event: unknown, context: Pick<Context, "getRemainingTimeInMillis">): Promise<Swept> => {
    const swept = await sweep({ budget: Math.max(1, Math.floor(context.getRemainingTimeInMillis() - MARGIN)), polls });
    log(swept.failed > 0 || !swept.isComplete ? "WARNING" : "INFO", "swept", { ...swept });
    return swept;
  };
}
