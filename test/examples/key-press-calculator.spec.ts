import { expect } from "chai";
import { type Actor, CommandHandler, Err } from "../../core/index.ts";
import { type Digit, KeyPressCalculator, type Operator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

onEveryStore("The key-press calculator", (stage) => {
  const handlerOf = () => new CommandHandler(stage.store, [KeyPressCalculator]);

  async function press(handler: ReturnType<typeof handlerOf>, actor: Actor, keys: string, aggregateId: string) {
    for (const key of keys) {
      if (key === ".") await handler.command(actor, "PressDot", { aggregateId });
      else if (key === "=") await handler.command(actor, "PressEquals", { aggregateId });
      else if (key >= "0" && key <= "9") await handler.command(actor, "PressDigit", { digit: key as Digit, aggregateId });
      else await handler.command(actor, "PressOperator", { operator: key as Operator, aggregateId });
    }
    const calculator = await handler.load(actor, KeyPressCalculator, aggregateId);
    if (calculator === undefined) throw new Error("no key was pressed");
    return calculator;
  }

  for (const [keys, result] of [
    ["1+2-3*5=", 0],
    ["4*4+21-16*3=", 63],
    ["4*4+21-16*3===", 567],
    ["5.23/.33*2=", 31.6969696969697],
    ["2+3=7+1=", 8],
    ["2+3=*4=", 20],
    ["8+*2=", 16],
    ["5-8=+1=", -2],
    ["1..5+1=", 2.5],
    [".+1=", 1],
  ] as const) {
    it(`comes to ${result} by ${keys}`, async () => {
      const actor = actorOf(stage.newTenant());
      const calculator = await press(handlerOf(), actor, keys, "calc");
      expect(calculator.result).to.equal(result);
      expect(calculator.aggregateVersion).to.equal(keys.length - 1);
    });
  }

  it("comes to -7.39, in two decimals, by 1.5+2.0-11.22+.33=", async () => {
    const calculator = await press(handlerOf(), actorOf(stage.newTenant()), "1.5+2.0-11.22+.33=", "calc");
    expect(calculator.result.toFixed(2)).to.equal("-7.39");
  });

  it("comes to the same when each key comes to a cold handler", async () => {
    const actor = actorOf(stage.newTenant());
    for (const key of "4*4+21-16*3===") await press(handlerOf(), actor, key, "calc");
    expect((await handlerOf().load(actor, KeyPressCalculator, "calc"))?.result).to.equal(567);
  });

  it("refuses a digit outside 0-9", async () => {
    for (const digit of ["x", "10", "", "-1"]) {
      const sent = handlerOf().command(actorOf(stage.newTenant()), "PressDigit", { digit: digit as Digit });
      const error = await rejects(Err, sent);
      expect(error.code).to.equal("validation");
      expect(error.message).to.equal("payload.digit: give one of 0 to 9 as a string");
    }
  });

  it("refuses an unknown operator", async () => {
    const sent = handlerOf().command(actorOf(stage.newTenant()), "PressOperator", { operator: "%" as Operator });
    const error = await rejects(Err, sent);
    expect(error.code).to.equal("validation");
    expect(error.message).to.equal("payload.operator: give one of + - * /");
  });

  it('refuses "=" without a right side, and leaves no trace of it', async () => {
    for (const keys of ["", "1", "1+"]) {
      const actor = actorOf(stage.newTenant());
      const handler = handlerOf();
      if (keys !== "") await press(handler, actor, keys, "calc");
      const error = await rejects(Err, handler.command(actor, "PressEquals", { aggregateId: "calc" }));
      expect(error.code).to.equal("precondition");
      expect(error.message).to.equal("there is nothing to compute: press a right side first");
      expect(await handler.history(actor, KeyPressCalculator, "calc")).to.have.length(keys.length);
    }
  });

  it("refuses to divide by zero", async () => {
    for (const last of ["PressEquals", "PressOperator"] as const) {
      const actor = actorOf(stage.newTenant());
      const handler = handlerOf();
      await press(handler, actor, "1/0", "calc");
      const error = await rejects(Err, handler.command(actor, last, { operator: "+" as const, aggregateId: "calc" }));
      expect(error.code).to.equal("precondition");
      expect(error.message).to.equal("the result would not be a finite number: press other keys");
    }
  });
});
