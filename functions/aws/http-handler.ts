import type { Context } from "aws-lambda";
import type { Log } from "../log.ts";
import { problemOf, problemResponse, Refusal } from "../problem.ts";
import { refuseUnseen } from "../request-log.ts";
import { type HttpEvent, type HttpResult, requestOf, resultOf } from "./http-event.ts";

/** A fetch-style application. */
export type Fetch = (request: Request) => Response | Promise<Response>;

/** What is left for sending the answer when the time that Lambda gives is over, in ms. */
const MARGIN = 500;

/** Makes the Lambda handler of an application; `log` hears of requests that are refused before it sees them. */
export function httpHandler(fetch: Fetch, log?: Log) {
  return async (event: HttpEvent, context: Pick<Context, "getRemainingTimeInMillis">): Promise<HttpResult> => {
    let request: Request;
    try {
      request = requestOf(event);
    } catch (error) {
      return resultOf(refuseUnseen(error, log));
    }
    return resultOf(await inTime(Promise.resolve(fetch(request)), context.getRemainingTimeInMillis() - MARGIN));
  };
}

/** The application has a deadline of its own; this one is for when Lambda's time is over first, which would answer nothing. */
async function inTime(answered: Promise<Response>, time: number): Promise<Response> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<Response>((resolve) => {
    timer = setTimeout(() => resolve(problemResponse(problemOf(tooSlow()))), Math.max(0, time));
  });
  try {
    return await Promise.race([answered, expired]);
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(): Refusal {
  return new Refusal(
    "deadline",
    "the request was not finished in the time of its function, and may still be: resend it, a command with the same Idempotency-Key",
    { headers: { "retry-after": "1" } },
  );
}
