import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { expect } from "chai";
import { checkInterleavings, type Findings } from "../support/dynamodb-model-check.ts";
import { PLANTED_BUGS } from "../support/dynamodb-planted-bugs.ts";

/** `MODEL_INTERLEAVINGS` asks for more or fewer, `MODEL_SEED` for others: a failure names its seed. */
const INTERLEAVINGS = Number(process.env.MODEL_INTERLEAVINGS ?? 100_000);
const FIRST_SEED = Number(process.env.MODEL_SEED ?? 1);
/** Each planted bug is found in fewer; most of them in the first ten. */
const ENOUGH = 1_000;

function inWorker(first: number, count: number): Promise<Findings> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("../support/dynamodb-model-worker.ts", import.meta.url), { workerData: { first, count } });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

describe("the order on DynamoDB, by the real adapter on a model of the database", function () {
  this.timeout(300_000);

  it(`holds in ${INTERLEAVINGS} interleavings with crashes, late and doubled writes, lost replies`, async () => {
    const threads = Math.min(availableParallelism(), 4);
    const share = Math.ceil(INTERLEAVINGS / threads);
    // Seeds are apart, so threads need nothing of one another.
    const found = await Promise.all(Array.from({ length: threads }, (_, n) => inWorker(FIRST_SEED + n * share, share)));
    for (const { failure } of found) expect(failure).to.equal(undefined);
    expect(found.reduce((sum, { interleavings }) => sum + interleavings, 0)).to.be.at.least(INTERLEAVINGS);
  });

  it("is the same interleaving again for the same seed", async () => {
    const [once, again] = [await checkInterleavings(7, 20), await checkInterleavings(7, 20)];
    expect(again).to.deep.equal(once);
  });

  for (const bug of PLANTED_BUGS) {
    it(`finds out where ${bug.title}`, async () => {
      const { failure } = await checkInterleavings(FIRST_SEED, ENOUGH, bug);
      expect(failure).not.to.equal(undefined);
    });
  }
});
