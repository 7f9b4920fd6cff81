// The noisy tenant, in a process of its own so that it does not delay the clocks of the quiet ones: sends until it is told to stop, and says
// what became of its commands. The first message is its plan.
import { type ClientPlan, type Sent, sendCommands } from "./http-clients.ts";

const stop = new AbortController();
const sent: Sent[] = [];
process.once("message", async (plan: ClientPlan) => {
  process.once("message", () => stop.abort());
  await sendCommands(plan, stop.signal, (one) => sent.push(one));
  process.send?.(sent, () => process.exit());
});
