import type { Address } from "../model/address.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { CommandRequest } from "./command-request.ts";

/** Hears how a command ended, and how often it was decided again. */
export type Teller = (outcome: string, retries: number) => void;

/**
 * Makes what tells a tracer of a command's end: in the async context of this call, as spans have their parent by it. The outcomes
 * of a group of commits all come in that of its first one.
 */
export function tellerOf(
  tracer: ITracer,
  platform: IPlatform,
  request: CommandRequest,
  address: Address,
  sentAt: number,
): Teller {
  const { command, correlationId, causationId } = request;
  let tell: (end: { outcome: string; retries: number }) => void = () => {};
  new Promise<{ outcome: string; retries: number }>((resolve) => {
    tell = resolve;
  })
    .then((end) => {
      const facts = { ...address, command: command.name, correlationId, causationId, ...end };
      tracer.trace(() => ({ method: "command", ...facts, ms: platform.now() - sentAt }));
    })
    // It must not throw; if it does, the command has come to its end all the same.
    .catch(() => {});
  return (outcome, retries) => tell({ outcome, retries });
}
