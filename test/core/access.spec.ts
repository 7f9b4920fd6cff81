import { expect } from "chai";
import {
  type Actor,
  Aggregate,
  AuthorizationError,
  type CommandContext,
  CommandHandler,
  type EmptyPayload,
} from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { countedStore } from "../support/counted-store.ts";
import { rejects } from "../support/rejects.ts";

let asked = 0;

class Door extends Aggregate<{ Opened: { by: string } }> {
  static readonly path = "/doors";
  static readonly access = {
    OpenForAll: "tenant",
    OpenForGuards: ["guard", "chief"],
    OpenForNobody: [],
    OpenForLast: (actor: Actor, door: Door) => door.last === actor.id,
    OpenForTruthy: ((_actor: Actor, _door: Door) => "yes") as unknown as (actor: Actor, door: Door) => boolean,
    OpenForBroken: () => {
      throw new RangeError("the predicate is broken");
    },
  } as const;
  last = "";
  get commands() {
    const open = (context: CommandContext<Door>) => {
      asked++;
      context.push("Opened", { by: context.actor.id });
    };
    return {
      OpenForAll: open,
      OpenForGuards: open,
      OpenForNobody: open,
      OpenForLast: open,
      OpenForTruthy: open,
      OpenForBroken: open,
      OpenWithoutRule: open,
    };
  }
  get events() {
    return {
      Opened: ({ payload }: { readonly payload: { readonly by: string } }) => {
        this.last = payload.by;
      },
    };
  }
}

/** Open to every actor of the tenant, in one word. */
class Lobby extends Aggregate<{ Entered: EmptyPayload }> {
  static readonly path = "/lobbies";
  static readonly access = "tenant";
  entered = 0;
  get commands() {
    return { Enter: (context: CommandContext<Lobby>) => context.push("Entered") };
  }
  get events() {
    return {
      Entered: () => {
        this.entered++;
      },
    };
  }
}

describe("Access to a command", () => {
  const scene = () => {
    const { store, loads, groups } = countedStore();
    asked = 0;
    return { handler: new CommandHandler(store, [Door, Lobby]), loads, groups };
  };
  const to = { aggregateId: "door" };

  for (const [command, roles] of [
    ["OpenForAll", []],
    ["OpenForGuards", ["guard"]],
    ["OpenForGuards", ["user", "chief"]],
  ] as const) {
    it(`is given for ${command} to an actor with the roles [${roles}]`, async () => {
      const { aggregate } = await scene().handler.command(actorOf("t", "ada", roles), command, to);
      expect(aggregate.aggregateVersion).to.equal(0);
    });
  }

  it("is given to every actor of the tenant where the whole access is tenant", async () => {
    const { aggregate } = await scene().handler.command(actorOf("t", "ada", []), "Enter", to);
    expect(aggregate.entered).to.equal(1);
  });

  for (const [command, roles] of [
    ["OpenForGuards", []],
    ["OpenForGuards", ["Guard", "guards", "tenant"]],
    ["OpenForNobody", ["guard", "chief", "user", "manager"]],
    ["OpenWithoutRule", ["guard", "chief", "user", "manager"]],
  ] as const) {
    it(`is denied for ${command} to an actor with the roles [${roles}], before anything is read`, async () => {
      const { handler, loads, groups } = scene();
      const error = await rejects(AuthorizationError, handler.command(actorOf("t", "ada", roles), command, to));
      expect([error.code, error.actorId, error.command]).to.deep.equal(["authorization", "ada", command]);
      expect([loads, groups, asked]).to.deep.equal([[], [], 0]);
    });
  }

  it("comes before what is said about the payload, which would tell a stranger what the command takes", async () => {
    const { handler } = scene();
    const sent = handler.command(actorOf("t", "ada", []), "OpenForGuards", { aggregateId: "\0" });
    await rejects(AuthorizationError, sent);
  });

  it("is decided by a predicate over actor and state", async () => {
    const { handler } = scene();
    const [ada, bob] = [actorOf("t", "ada", []), actorOf("t", "bob", [])];
    await rejects(AuthorizationError, handler.command(ada, "OpenForLast", to));
    await handler.command(ada, "OpenForAll", to);
    expect((await handler.command(ada, "OpenForLast", to)).aggregate.aggregateVersion).to.equal(1);
    const error = await rejects(AuthorizationError, handler.command(bob, "OpenForLast", to));
    expect([error.actorId, error.command]).to.deep.equal(["bob", "OpenForLast"]);
    expect(asked).to.equal(2);
  });

  it("is asked of the aggregate's own tenant only", async () => {
    const { handler } = scene();
    await handler.command(actorOf("one", "ada", []), "OpenForAll", to);
    await rejects(AuthorizationError, handler.command(actorOf("other", "ada", []), "OpenForLast", to));
  });

  it("is denied by a predicate that says anything but true, and by one that throws", async () => {
    const { handler, groups } = scene();
    await rejects(AuthorizationError, handler.command(actorOf("t"), "OpenForTruthy", to));
    const error = await rejects(RangeError, handler.command(actorOf("t"), "OpenForBroken", to));
    expect(error.message).to.equal("the predicate is broken");
    expect([groups, asked]).to.deep.equal([[], 0]);
  });
});
