import { BAD_BODY_CASES } from "./bad-bodies.ts";
import { BAD_READ_CASES } from "./bad-reads.ts";
import { BAD_TOKEN_CASES } from "./bad-tokens.ts";
import { COMMAND_CASES } from "./commands.ts";
import { CROSS_ORIGIN_CASES } from "./cross-origin.ts";
import type { HttpCase } from "./http-case.ts";
import { ID_CASES } from "./ids.ts";
import { PRECONDITION_CASES } from "./preconditions.ts";
import { READ_CASES } from "./reads.ts";

/** Every case that a host must answer as all the others do. */
export const HTTP_CASES: readonly HttpCase[] = [
  ...COMMAND_CASES,
  ...READ_CASES,
  ...PRECONDITION_CASES,
  ...CROSS_ORIGIN_CASES,
  ...ID_CASES,
  ...BAD_TOKEN_CASES,
  ...BAD_BODY_CASES,
  ...BAD_READ_CASES,
];
