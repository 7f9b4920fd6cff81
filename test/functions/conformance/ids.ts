import { encoded, HOSTILE_IDS } from "../../support/functions-hostile-ids.ts";
import { add, added, command, type HttpCase, type Sent, type Step } from "./http-case.ts";

/** Ids that no client can send as a segment of a path, and one that is a route of its own there. */
const QUERY_ONLY = [".", "..", "events"];

const nameOf = (id: string): string => JSON.stringify(id.length > 40 ? `${id.slice(0, 10)}… (${id.length})` : id);

function placesOf(id: string): readonly Sent[] {
  const inQuery = { path: `/aggregates/summing-calculators?id=${encoded(id)}` };
  return QUERY_ONLY.includes(id) || id === "" ? [inQuery] : [inQuery, { path: `/aggregates/summing-calculators/${encoded(id)}` }];
}

function carried(id: string): HttpCase {
  const read = (send: Sent): Step => ({
    send,
    expect: { status: 200, body: { aggregateId: id, version: 0, state: { sum: 3 } } },
  });
  return {
    title: `carries the id ${nameOf(id)} through body, path and query as it is`,
    steps: [
      { send: add(id), expect: { status: 200, body: added(id, 0, 1, 3) } },
      ...placesOf(id).map(read),
      {
        send: ([sent]) => ({ path: `/views/totals?id=${encoded(id)}&position=${sent?.body.position}` }),
        expect: { status: 200, body: { id, value: { sum: 3, steps: 1 } } },
      },
    ],
  };
}

function refused(id: string): HttpCase {
  const code = (isInPath: boolean) => (id === "" && !isInPath ? "missing_argument" : "invalid_argument");
  return {
    title: `refuses the id ${nameOf(id)} in body, path and query`,
    steps: [
      {
        send: command("AddNumbers", { aggregateId: id, number1: 1, number2: 2 }),
        expect: { status: 400, problem: { code: code(true), detail: /aggregateId/ } },
      },
      ...placesOf(id).map((send): Step => ({ send, expect: { status: 400, problem: { code: code(false), detail: /id/i } } })),
      {
        send: { path: `/views/totals?after=${encoded(id)}` },
        expect: { status: 400, problem: { code: code(true), detail: /after/ } },
      },
    ],
  };
}

/** The hostile ids, each sent wherever an id can stand. */
export const ID_CASES: readonly HttpCase[] = HOSTILE_IDS.map(({ id, isValid }) => (isValid ? carried(id) : refused(id)));
