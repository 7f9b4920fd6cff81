import { createHash } from "node:crypto";
import { defaultPlatform, type IPlatform } from "../core/index.ts";

/** The platform of Node: digests at once, where the one of every platform waits for a thread, which takes longer than the rest of a command. */
export const nodePlatform: IPlatform = Object.freeze({
  ...defaultPlatform,
  digest: async (text: string) => createHash("sha256").update(text, "utf8").digest("hex"),
});
