import { Aggregate, type AggregateClass, type CommandContext, type JsonObject, type StoredEvent } from "../../core/index.ts";
import type { TotalView } from "../../examples/calculator/index.ts";
import type { Loan, LoanState, LoanView } from "../../examples/loan/index.ts";
import { type ClientCode, createClient } from "../../functions/client/index.ts";
import type { ProblemCode } from "../../functions/client/problem-code.ts";
import type { Aggregates, Projections } from "../support/functions-client-types.ts";

class Inventory extends Aggregate<{ Counted: { item: string } }> {
  static readonly path = "/inventories";
  static readonly access = "tenant";
  static readonly snapshot = false;
  counts = new Map<string, number>();
  get commands() {
    return { Count: (context: CommandContext<Inventory, { item: string }>) => context.push("Counted") };
  }
  get events() {
    return { Counted: () => {} };
  }
}

type IsAny<T> = 0 extends 1 & T ? true : false;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_Claim extends true>(): void {}
/** Compiled, never run: what matters is which lines are errors. */
function neverRun(..._claims: readonly (() => unknown)[]): void {}

const options = { url: "http://localhost", token: () => "t" };
const client = createClient<Aggregates, Projections>(options);
const untyped = createClient(options);

describe("The types of the client", () => {
  it("know the names and payloads of commands", () => {
    neverRun(
      () => client.command("AddNumbers", { number1: 1, number2: 2 }),
      () => client.command("AddNumbers", { aggregateId: "a", number1: 1, number2: 2 }, { commandId: "c", expectedVersion: 0 }),
      () => client.command("ApproveLoan", { aggregateId: "l1" }),
      // @ts-expect-error no aggregate has this command
      () => client.command("MultiplyNumbers", { number1: 1, number2: 2 }),
      // @ts-expect-error number1 is a number
      () => client.command("AddNumbers", { number1: "1", number2: 2 }),
      // @ts-expect-error number2 is missing
      () => client.command("AddNumbers", { number1: 1 }),
      // @ts-expect-error a loan has a borrower and an amount
      () => client.command("CreateLoan", { aggregateId: "l1", number1: 1 }),
      // @ts-expect-error a digit is one of ten texts
      () => client.command("PressDigit", { digit: "x" }),
      // @ts-expect-error the version is a number
      () => client.command("ApproveLoan", { aggregateId: "l1" }, { expectedVersion: "0" }),
    );
  });

  it("know the states that commands and aggregates answer", () => {
    neverRun(async () => {
      const added = await client.command("AddNumbers", { number1: 1, number2: 2 });
      holds<Equal<typeof added.state.sum, number>>();
      holds<Equal<typeof added.events, readonly StoredEvent[]>>();
      // @ts-expect-error a calculator has no borrower
      void added.state.borrower;
      // @ts-expect-error nor is its state to be changed
      added.state.sum = 1;
      // @ts-expect-error functions and the id are no state
      void added.state.commands;

      const loan = await client.aggregate("/loans", "l1");
      holds<Equal<NonNullable<typeof loan>["state"]["state"], LoanState>>();
      // @ts-expect-error there may be none
      void loan.state;
      // @ts-expect-error a loan has no sum
      void loan?.state.sum;
      // @ts-expect-error no class has this path
      void client.aggregate(7, "l1");

      const account = await client.aggregate("/accounts", "a1");
      holds<Equal<NonNullable<typeof account>["state"]["balance"], number>>();
      // A getter looks like a read-only field, so it may or may not be there.
      holds<Equal<NonNullable<typeof account>["state"]["isOpen"], boolean | undefined>>();

      const wide = await client.aggregate("/summing-calculators", "c1");
      holds<Equal<NonNullable<typeof wide>["state"]["sum"], number>>();
    });
  });

  it("say that a state may be null only where it need not be JSON", () => {
    neverRun(async () => {
      const { state } = await createClient<readonly [typeof Inventory]>(options).command("Count", { item: "apple" });
      // @ts-expect-error it may be null
      void state.counts;
      const exact = createClient<readonly [typeof Loan]>(options);
      // @ts-expect-error no class of this client has the path
      void exact.aggregate("/accounts", "a1");
    });
  });

  it("know the views of collections", () => {
    neverRun(async () => {
      const total = await client.views("totals").get("c1", { position: 1 });
      holds<Equal<typeof total, TotalView | undefined>>();
      const { views } = await client.views("loans").list({ after: "l1" });
      holds<Equal<(typeof views)[number]["value"], LoanView>>();
      // @ts-expect-error no projection keeps this collection
      void client.views("unknown");
    });
  });

  it("fall back to JSON where they know no classes, and never to any", () => {
    neverRun(async () => {
      const answer = await untyped.command("Whatever", { number1: 1 });
      holds<Equal<IsAny<typeof answer.state>, false>>();
      holds<Equal<typeof answer.state, JsonObject | null>>();
      const view = await untyped.views("whatever").get("x");
      holds<Equal<typeof view, JsonObject | undefined>>();
      holds<Equal<IsAny<AggregateClass>, false>>();
    });
  });

  it("have a code for each problem of the server", () => {
    holds<Equal<Exclude<ProblemCode, ClientCode>, never>>();
    holds<Equal<Exclude<ClientCode, ProblemCode>, "network" | "unexpected">>();
  });
});
