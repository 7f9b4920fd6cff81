import type { Context } from "hono";
import { Err } from "../core/index.ts";
import { COMMAND_IDS } from "../core/react/sender.ts";
import { commandAnswer, json } from "./answers.ts";
import type { AppEnv, AppSetting } from "./app-setting.ts";
import { readObject } from "./body.ts";
import { stateTag } from "./etag.ts";
import { asFailedPrecondition, checkState, expectationIn, withVersion } from "./expected-version.ts";
import { FairQueue } from "./fair-queue.ts";
import { Refusal } from "./problem.ts";
import { pathSegment } from "./request-target.ts";

const HEADER_TEXT = /^[\x20-\x7e]{1,256}$/;

/** `POST /commands/{Command}`: carries out one command; its body holds aggregateId, expectedVersion and the payload's fields. */
export function commandRoute({ service, fairShare }: AppSetting) {
  const queue = new FairQueue(fairShare);
  return async (context: Context<AppEnv>): Promise<Response> => {
    const name = pathSegment(context.req.path, 1, "command");
    const Type = service.commands.get(name);
    if (Type === undefined) throw Err.notFound(`command ${name}`);
    context.set("command", name);
    const commandId = headerText(context, "Idempotency-Key");
    if (commandId?.startsWith(COMMAND_IDS))
      throw Err.invalidArgument("Idempotency-Key", `begin it otherwise than ${COMMAND_IDS}`);
    const correlationId = headerText(context, "X-Correlation-Id");
    const expected = expectationIn(context.req.raw.headers);
    const { value, bytes } = await readObject(context.req.raw);
    const data = withVersion(value, expected?.version);
    const options = { ...(commandId !== undefined && { commandId }), ...(correlationId !== undefined && { correlationId }) };
    try {
      const { actor } = context.var;
      const done = await queue.run(actor.tenant, bytes, async () => {
        // Its sender is answered already: what nobody waits for must not keep others waiting.
        if (context.var.isLate) throw new Refusal("deadline", "its time was over before its turn came");
        await checkState(service, actor, Type, data.aggregateId, expected);
        return service.handler.command(actor, name, data as Parameters<typeof service.handler.command>[2], options);
      });
      const answer = await commandAnswer(done);
      const { version, state } = answer;
      return json(answer, version < 0 ? {} : { etag: await stateTag(version, state, service.digest) });
    } catch (error) {
      throw asFailedPrecondition(error, expected?.version, data.aggregateId);
    }
  };
}

/** ASCII only, because servers and clients disagree about how to decode the rest. */
function headerText(context: Context<AppEnv>, name: string): string | undefined {
  const value = context.req.header(name);
  if (value === undefined || HEADER_TEXT.test(value)) return value;
  throw Err.invalidArgument(name, "give 1 to 256 printable ASCII characters");
}
