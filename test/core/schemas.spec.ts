import { expect } from "chai";
import * as v from "valibot";
import { z } from "zod";
import {
  Aggregate,
  type AggregateClass,
  type CommandContext,
  CommandHandler,
  IdempotencyError,
  type JsonObject,
  type StandardSchema,
  ValidationError,
} from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { countedStore } from "../support/counted-store.ts";
import { rejects } from "../support/rejects.ts";

interface Parcel {
  readonly to: string;
  readonly grams: number;
}

class Depot extends Aggregate<{ ParcelTaken: Parcel }> {
  static readonly path: string = "/depots";
  static readonly access = "tenant";
  parcels: Parcel[] = [];
  get commands() {
    return {
      TakeParcel: (context: CommandContext<Depot, Parcel>) => {
        context.push("ParcelTaken", context.payload);
      },
    };
  }
  get events() {
    return {
      ParcelTaken: ({ payload }: { readonly payload: Parcel }) => {
        this.parcels.push(payload);
      },
    };
  }
}

const zodSchema = z.strictObject({ to: z.string().trim().toLowerCase(), grams: z.coerce.number().int().positive().default(100) });
const valibotSchema = v.strictObject({
  to: v.pipe(v.string(), v.trim(), v.toLowerCase()),
  grams: v.pipe(v.optional(v.union([v.number(), v.string()]), 100), v.transform(Number), v.integer(), v.minValue(1)),
});
const asyncSchema = v.pipeAsync(
  v.objectAsync({
    to: v.pipeAsync(
      v.string(),
      v.checkAsync(async (to) => to !== "nowhere", "nobody lives there"),
    ),
    grams: v.number(),
  }),
);

/** A depot whose payloads pass a schema. */
function depotWith(schema: StandardSchema): AggregateClass {
  return class extends Depot {
    static readonly schemas = { TakeParcel: schema };
  } as unknown as AggregateClass;
}

describe("A command's schema", () => {
  const actor = actorOf("t");

  function sceneWith(schema: StandardSchema) {
    const { store, loads, groups } = countedStore();
    const handler = new CommandHandler(store, [depotWith(schema)]);
    const take = (payload: JsonObject, commandId?: string) =>
      handler.command(actor, "TakeParcel", { ...payload, aggregateId: "depot" }, commandId === undefined ? {} : { commandId });
    return { take, loads, groups };
  }

  for (const [name, schema] of [
    ["Zod", zodSchema],
    ["Valibot", valibotSchema],
  ] as const) {
    it(`by ${name}: the command sees what the schema made of the payload`, async () => {
      const { take } = sceneWith(schema);
      const context = await take({ to: "  ADA ", grams: "20" });
      expect(context.payload).to.deep.equal({ to: "ada", grams: 20 });
      expect(context.events[0]?.payload).to.deep.equal({ to: "ada", grams: 20 });
      expect((await take({ to: "bob" })).payload).to.deep.equal({ to: "bob", grams: 100 });
    });

    it(`by ${name}: a payload that does not pass is refused with the path, before anything is read`, async () => {
      const { take, loads, groups } = sceneWith(schema);
      for (const [payload, path] of [
        [{ to: "ada", grams: -1 }, "payload.grams"],
        [{ to: 7, grams: 1 }, "payload.to"],
        [{ grams: 1 }, "payload.to"],
      ] as const) {
        const error = await rejects(ValidationError, take(payload));
        expect([error.code, error.path]).to.deep.equal(["validation", path]);
        expect(error.message).to.match(new RegExp(`^${path.replace(".", "\\.")}: .+`));
      }
      expect([loads, groups]).to.deep.equal([[], []]);
    });

    it(`by ${name}: neither aggregateId nor expectedVersion belongs to the payload; an unknown field is refused`, async () => {
      const { take } = sceneWith(schema);
      await take({ to: "ada", grams: 1, expectedVersion: -1 });
      await rejects(ValidationError, take({ to: "ada", grams: 1, colour: "red" }));
    });

    it(`by ${name}: a commandId stands for what was sent, not for what the schema made of it`, async () => {
      const { take } = sceneWith(schema);
      const first = await take({ to: " Ada", grams: "7" }, "c1");
      const again = await take({ to: " Ada", grams: "7" }, "c1");
      expect([again.replayed, again.commitId, again.aggregate.aggregateVersion]).to.deep.equal([true, first.commitId, 0]);
      await rejects(IdempotencyError, take({ to: "ada", grams: 7 }, "c1"));
    });
  }

  it("may be asynchronous", async () => {
    const { take } = sceneWith(asyncSchema);
    expect((await take({ to: "ada", grams: 1 })).payload).to.deep.equal({ to: "ada", grams: 1 });
    const error = await rejects(ValidationError, take({ to: "nowhere", grams: 1 }));
    expect([error.path, error.message]).to.deep.equal(["payload.to", "payload.to: nobody lives there"]);
  });

  it("may spell the path of an issue in steps that are objects, or leave it out", async () => {
    const failing = (issue: object): StandardSchema => ({
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [issue as { message: string }] }) },
    });
    const stepped = sceneWith(failing({ message: "is wrong", path: [{ key: "to" }, 0] }));
    expect((await rejects(ValidationError, stepped.take({}))).message).to.equal("payload.to.0: is wrong");
    const bare = sceneWith(failing({ message: "is wrong" }));
    expect((await rejects(ValidationError, bare.take({}))).message).to.equal("payload: is wrong");
  });

  it("must not make what is no JSON, or too much of it", async () => {
    const dated = sceneWith(z.object({ to: z.coerce.date() }));
    expect((await rejects(ValidationError, dated.take({ to: "2024-01-01" }))).path).to.equal("payload.to");
    const none = sceneWith(z.object({}).transform(() => "text"));
    expect((await rejects(ValidationError, none.take({}))).path).to.equal("payload");
    const huge = sceneWith(z.object({}).transform(() => ({ to: "x".repeat(300 * 1024), grams: 1 })));
    expect((await rejects(ValidationError, huge.take({}))).message).to.match(
      /^payload: has \d+ bytes of JSON: keep it within 262144$/,
    );
  });
});
