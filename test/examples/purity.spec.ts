import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type AggregateClass, CommandHandler } from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { Post, User } from "../../examples/blog/index.ts";
import { KeyPressCalculator, SummingCalculator } from "../../examples/calculator/index.ts";
import { Cart } from "../../examples/cart/index.ts";
import { Loan } from "../../examples/loan/index.ts";
import { actorOf } from "../support/actors.ts";

describe("The examples' aggregates", () => {
  it("change their state by events only: in development mode each state is compared with a fold", async () => {
    const classes = [SummingCalculator, KeyPressCalculator, User, Post, Loan, Account, Cart] as const;
    const handler = new CommandHandler(new MemoryEventStore(), classes, { development: true });
    const actor = actorOf("t", "ada");
    const to = { aggregateId: "ada" };
    const send = [
      () => handler.command(actor, "AddNumbers", { number1: 1, number2: 2, ...to }),
      () => handler.command(actor, "SubtractNumbers", { number1: 1, number2: 2, ...to }),
      () => handler.command(actor, "PressDigit", { digit: "1", ...to }),
      () => handler.command(actor, "PressDot", to),
      () => handler.command(actor, "PressOperator", { operator: "+", ...to }),
      () => handler.command(actor, "PressDigit", { digit: "2", ...to }),
      () => handler.command(actor, "PressEquals", to),
      () => handler.command(actor, "CreateUser", { name: "Ada", ...to }),
      () => handler.command(actor, "DisableUser", to),
      () => handler.command(actor, "EnableUser", to),
      () => handler.command(actor, "CreatePost", { title: "T", body: "B", ...to }),
      () => handler.command(actor, "ArchivePost", to),
      () => handler.command(actor, "CreateLoan", { borrower: "Ada", amount: 1, ...to }),
      () => handler.command(actor, "ApproveLoan", to),
      () => handler.command(actor, "DisburseLoan", to),
      () => handler.command(actor, "DeclareArrears", to),
      () => handler.command(actor, "SendToCollections", to),
      () => handler.command(actor, "OpenAccount", { owner: "ada", ...to }),
      () => handler.command(actor, "OpenAccount", { owner: "bob", aggregateId: "bob" }),
      () => handler.command(actor, "ChangeOwner", { owner: "ada", ...to }),
      () => handler.command(actor, "RecordTransactions", { amounts: [5, -10], ...to }),
      () => handler.command(actor, "TransferMoney", { to: "bob", amount: 5, ...to }),
      () => handler.command(actor, "AddItem", { product: "tea", quantity: 2, ...to }),
      () => handler.command(actor, "AssignCart", { customer: "ada", ...to }),
    ];
    for (const command of send) await command();
    for (const Type of classes as readonly AggregateClass[]) {
      expect((await handler.recalculate(actor, Type, "ada")).snapshot, Type.name).to.equal("equal");
    }
  });
});
