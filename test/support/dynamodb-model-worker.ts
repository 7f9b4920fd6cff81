import { parentPort, workerData } from "node:worker_threads";
import { checkInterleavings } from "./dynamodb-model-check.ts";

const { first, count } = workerData as { readonly first: number; readonly count: number };
parentPort?.postMessage(await checkInterleavings(first, count));
