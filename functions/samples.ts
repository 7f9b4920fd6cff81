import type { AggregateClasses, CommandData, CommandName, JsonObject } from "../core/index.ts";
import { Account } from "../examples/bank-account/index.ts";
import { Post, User } from "../examples/blog/index.ts";
import { KeyPressCalculator, SummingCalculator } from "../examples/calculator/index.ts";
import { Cart } from "../examples/cart/index.ts";
import { Loan } from "../examples/loan/index.ts";

/** A command as one would send it. */
export interface Sample {
  readonly command: string;
  readonly data: JsonObject;
}

/** Makes samples of the commands of some classes: a wrong name or payload does not compile. */
export function samplesOf<const C extends AggregateClasses>(_aggregates: C) {
  return <Name extends CommandName<C>>(command: Name, data: CommandData<C, Name>): Sample => ({
    command,
    data: data as unknown as JsonObject,
  });
}

const sample = samplesOf([SummingCalculator, KeyPressCalculator, Loan, Account, User, Post, Cart]);

/** A walk through the example domains, for an actor with the id ada and the roles user and manager on a new tenant. */
export const exampleSamples: readonly Sample[] = [
  sample("AddNumbers", { aggregateId: "calc1", number1: 1, number2: 2 }),
  sample("SubtractNumbers", { aggregateId: "calc1", number1: 1, number2: 1, expectedVersion: 0 }),
  sample("PressDigit", { aggregateId: "pocket1", digit: "4" }),
  sample("PressDot", { aggregateId: "pocket1" }),
  sample("PressDigit", { aggregateId: "pocket1", digit: "5" }),
  sample("PressOperator", { aggregateId: "pocket1", operator: "+" }),
  sample("PressDigit", { aggregateId: "pocket1", digit: "1" }),
  sample("PressEquals", { aggregateId: "pocket1" }),
  sample("CreateLoan", { aggregateId: "loan1", borrower: "Bob", amount: 250_000 }),
  sample("ApproveLoan", { aggregateId: "loan1" }),
  sample("DisburseLoan", { aggregateId: "loan1" }),
  sample("PayLoan", { aggregateId: "loan1" }),
  sample("CreateLoan", { aggregateId: "loan2", borrower: "Carol", amount: 90_000 }),
  sample("RejectLoan", { aggregateId: "loan2", reason: "no income" }),
  sample("CreateLoan", { aggregateId: "loan3", borrower: "Dan", amount: 40_000 }),
  sample("ApproveLoan", { aggregateId: "loan3" }),
  sample("DisburseLoan", { aggregateId: "loan3" }),
  sample("DeclareArrears", { aggregateId: "loan3" }),
  sample("SettleLoan", { aggregateId: "loan3" }),
  sample("CreateLoan", { aggregateId: "loan4", borrower: "Eve", amount: 10_000 }),
  sample("ApproveLoan", { aggregateId: "loan4" }),
  sample("DisburseLoan", { aggregateId: "loan4" }),
  sample("DeclareArrears", { aggregateId: "loan4" }),
  sample("SendToCollections", { aggregateId: "loan4" }),
  sample("OpenAccount", { aggregateId: "account1", owner: "ada" }),
  sample("OpenAccount", { aggregateId: "account2", owner: "bob" }),
  sample("ChangeOwner", { aggregateId: "account2", owner: "carol" }),
  sample("RecordTransactions", { aggregateId: "account1", amounts: [200, -50], text: "salary and rent" }),
  sample("TransferMoney", { aggregateId: "account1", to: "account2", amount: 25 }),
  sample("CreateUser", { aggregateId: "ada", name: "Ada" }),
  sample("CreatePost", { aggregateId: "post1", title: "Hello", body: "The first post." }),
  sample("ArchivePost", { aggregateId: "post1" }),
  sample("DisableUser", { aggregateId: "ada" }),
  sample("EnableUser", { aggregateId: "ada" }),
  sample("AddItem", { aggregateId: "cart1", product: "tea", quantity: 2 }),
  sample("AddItem", { aggregateId: "cart1", product: "tea", quantity: 3 }),
  sample("AssignCart", { aggregateId: "cart1", customer: "ada" }),
];
