import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { DynamoDbEventStore } from "../../adapters/dynamodb/event-store.ts";
import type { IPlatform } from "../../core/index.ts";
import { Interleaving } from "../support/dynamodb-interleaving.ts";
import { DynamoDbModel } from "../support/dynamodb-model.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { Rush } from "./rush.ts";

/** A rush that takes more decisions than this never ends. */
const MOST_STEPS = 200_000;

/** A rush of two processes on a model of DynamoDB, in an interleaving that a seed chooses: requests are late, doubled, refused or lose their replies. */
export async function rushHour(seed: number, commands: number): Promise<void> {
  const random = seededRandom(seed);
  const model = new DynamoDbModel();
  const bad = random.chance(0.8) ? 1 : 0;
  const misfortunes = { lostReply: 0.03 * bad, late: 0.03 * bad, doubled: 0.03 * bad, busy: 0.02 * bad };
  const interleaving = new Interleaving(model, random, misfortunes);
  // The pauses are no whole numbers.
  const now = () => Math.floor(interleaving.clock);
  const options = { table: "model", graceMs: 10 + random.below(200) };
  const sites = ["p", "q"].map((process) => {
    // At once, so that a seed repeats its run.
    const digest = async (text: string) => createHash("sha256").update(text).digest("hex");
    const platform: IPlatform = { ...interleaving.platform(process), digest, now };
    const internals = { isUntimed: true, platform };
    return { platform, store: new DynamoDbEventStore(interleaving.document(process), options, internals) };
  });
  const clock = {
    ...interleaving.platform("c"),
    now,
    sleep: async (ms: number) => clock.turn(ms),
    turn: (ms: number) => {
      interleaving.clock += ms;
    },
  };
  const direct = new DynamoDbEventStore(model.direct(), options, { isUntimed: true, platform: clock });
  await direct.open("t");
  const rush = new Rush(random, sites, "t");
  let isOver = false;
  const running = rush.run(commands).finally(() => {
    isOver = true;
  });
  running.catch(() => {});
  while (!isOver || !interleaving.isIdle) {
    if (isOver) interleaving.calm();
    if (interleaving.steps > MOST_STEPS) throw new Error("the rush does not come to an end");
    interleaving.decide();
    await setImmediate();
  }
  await running;
  await rush.check(direct, clock);
}
