import { Validator } from "@seriousme/openapi-schema-validator";
import { expect } from "chai";
import * as v from "valibot";
import { z } from "zod";
import { Aggregate, type CommandContext, type JsonObject } from "../../core/index.ts";
import { Loan } from "../../examples/loan/index.ts";
import { examples } from "../../functions/composition.ts";
import type { Part } from "../../functions/openapi/components.ts";
import { samplesOf } from "../../functions/samples.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";

interface Operation {
  readonly operationId: string;
  readonly description: string;
  readonly parameters?: readonly (
    | { readonly $ref: string }
    | { readonly name: string; readonly in: string; readonly required: boolean; readonly example?: string }
  )[];
  readonly requestBody?: {
    readonly content: {
      readonly "application/json": { readonly examples?: Readonly<Record<string, { readonly value: JsonObject }>> };
    };
  };
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly openapi: string;
  readonly info: Part;
  readonly paths: Readonly<Record<string, Readonly<Record<"get" | "post", Operation | undefined>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>> };
}

async function documentOf(backend: Backend): Promise<Document> {
  const answer = await backend.send("/openapi.json", { token: "" });
  expect(answer.status).to.equal(200);
  return answer.body as unknown as Document;
}

async function expectValid(document: Document): Promise<void> {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(document)));
  expect(valid, JSON.stringify(errors)).to.equal(true);
  expect(validator.version).to.equal("3.1");
}

describe("The OpenAPI document", () => {
  let backend: Backend;
  afterEach(() => backend.close());

  describe("of the example domains", () => {
    let document: Document;
    beforeEach(async () => {
      backend = await startBackend();
      document = await documentOf(backend);
    });

    it("is valid, and for anybody, who need not load it twice", async () => {
      await expectValid(document);
      const first = await backend.send("/openapi.json", { token: "" });
      const tag = first.headers.get("etag") as string;
      const again = await backend.send("/openapi.json", { token: "", headers: { "if-none-match": tag } });
      expect(again.status).to.equal(304);
    });

    it("leads each reference to something that is there", () => {
      const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path);
      expect(references.length).to.be.above(50);
      for (const path of new Set(references)) {
        const found = path.split("/").reduce<unknown>((part, step) => (part as Part | undefined)?.[step], document);
        expect(found, path).to.be.an("object");
      }
    });

    it("has an operation for each command, aggregate type and collection, and no name twice", () => {
      const commands = examples.aggregates.flatMap((Type) => Object.keys(new Type().commands));
      for (const command of commands) expect(document.paths[`/commands/${command}`]?.post?.operationId).to.equal(command);
      for (const { path } of examples.aggregates) {
        expect(document.paths).to.have.property(`/aggregates${path}/{id}`);
        expect(document.paths).to.have.property(`/aggregates${path}/{id}/events`);
        expect(document.paths).to.have.property(`/aggregates${path}/{id}/stream`);
      }
      for (const collection of ["totals", "loans", "accounts", "posts"]) {
        expect(document.paths).to.have.property(`/views/${collection}`);
        expect(document.paths).to.have.property(`/views/${collection}/{id}`);
        expect(document.paths).to.have.property(`/views/${collection}/stream`);
      }
      const names = operationsOf(document).map(({ operation }) => operation.operationId);
      expect(new Set(names).size).to.equal(names.length);
    });

    it("says who may ask for what, as the classes declare it", () => {
      const said = (path: string, method: "get" | "post") => document.paths[path]?.[method]?.description;
      expect(said("/commands/AddNumbers", "post")).to.equal("For members with user.");
      expect(said("/commands/CreatePost", "post")).to.equal("For every member.");
      expect(said("/commands/ArchivePost", "post")).to.contain("state");
      expect(said("/aggregates/loans/{id}", "get")).to.match(/^For members with manager, and whoever/);
      expect(said("/aggregates/accounts/{id}", "get")).to.match(/^For nobody, and whoever/);
      expect(said("/views/loans", "get")).to.equal("For members with user or manager.");
    });

    it("describes the problems of every operation that asks for a token", () => {
      for (const { path, operation } of operationsOf(document)) {
        if (path === "/healthz") continue;
        expect(operation.responses, path).to.include.keys("200", "400", "401", "403", "429", "500", "503");
      }
      expect(document.paths["/commands/AddNumbers"]?.post?.responses).to.include.keys("409", "412", "413", "415", "422");
    });

    it("says what each command's payload is made of", () => {
      const { schemas } = document.components;
      expect(Object.keys(schemas["AddNumbers.payload"]?.properties ?? {})).to.deep.equal(["number1", "number2"]);
      for (const command of examples.aggregates.flatMap((Type) => Object.keys(new Type().commands)))
        expect(schemas, command).to.have.property(`${command}.payload`);
    });

    it("has examples that work, each of them, in the order of their steps", async () => {
      const steps = operationsOf(document).flatMap(({ path, operation }) =>
        Object.entries(operation.requestBody?.content["application/json"].examples ?? {}).map(([name, { value }]) => ({
          path,
          step: Number(/^step-(\d+)$/.exec(name)?.[1]),
          value,
        })),
      );
      expect(steps.map(({ step }) => step).sort((a, b) => a - b)).to.deep.equal(examples.samples?.map((_, index) => index + 1));
      const commands = examples.aggregates.flatMap((Type) => Object.keys(new Type().commands));
      expect(new Set(steps.map(({ path }) => path)).size, "every command has one").to.equal(commands.length);
      const headers = { "content-type": "application/json" };
      for (const { path, step, value } of [...steps].sort((a, b) => a.step - b.step)) {
        const answer = await backend.send(path, { method: "POST", body: JSON.stringify(value), headers });
        expect(answer.status, `step ${step}: ${path} ${JSON.stringify(answer.body)}`).to.equal(200);
      }
      const token = await tokenOf({ roles: ["manager", "user", "auditor"] });
      let reads = 0;
      for (const { path, operation } of operationsOf(document).filter(({ method }) => method === "get")) {
        const inPath = (operation.parameters ?? []).flatMap((one) => ("in" in one && one.in === "path" ? [one] : []));
        // A stream has no end that could be waited for: test/functions/stream*.spec.ts asks for those.
        if (path.endsWith("/stream") || inPath.some(({ example }) => example === undefined)) continue;
        const target = inPath.reduce((whole, { name, example = "" }) => whole.replace(`{${name}}`, example), path);
        expect((await backend.send(target, { token })).status, target).to.equal(200);
        reads++;
      }
      const views = Object.values(examples.threads).flat();
      expect(reads).to.equal(2 * examples.aggregates.length + views.length + 2);
    });
  });

  it("takes samples that the classes have", async () => {
    const sample = samplesOf([Loan]);
    const samples = [sample("CreateLoan", { aggregateId: "l1", borrower: "Bob", amount: 1 })];
    const wrong = () => [
      // @ts-expect-error it has no such command
      sample("AddNumbers", {}),
      // @ts-expect-error the amount is missing
      sample("CreateLoan", { borrower: "Bob" }),
    ];
    expect(wrong).to.be.a("function");
    backend = await startBackend({ composition: { aggregates: [Loan], threads: {}, samples } });
    const { paths } = await documentOf(backend);
    const examples = paths["/commands/CreateLoan"]?.post?.requestBody?.content["application/json"].examples;
    expect(examples?.["step-1"]?.value).to.deep.equal(samples[0]?.data);
    expect(paths["/commands/ApproveLoan"]?.post?.requestBody?.content["application/json"]).not.to.have.property("examples");
  });

  describe("of schemas", () => {
    interface Tree {
      readonly label: string;
      readonly children?: readonly Tree[] | undefined;
    }
    const tree: z.ZodType<Tree> = z.lazy(() => z.object({ label: z.string(), children: z.array(tree).optional() }));

    class Garden extends Aggregate<{ Changed: object }> {
      static readonly path: string = "/gardens";
      static readonly access = "tenant";
      static readonly schemas = {
        Plant: z.strictObject({ kind: z.enum(["oak", "elm"]), count: z.number().int().min(1), note: z.string().optional() }),
        Graft: z.object({ tree }),
        Cut: z.union([z.object({ all: z.literal(true) }), z.object({ kind: z.string() })]),
        Date: z.object({ when: z.string().transform((text) => text.length), day: z.date().optional() }),
        Water: v.object({ litres: v.number() }),
      };
      get commands() {
        const change = (context: CommandContext<Garden>) => context.push("Changed", {});
        return { Plant: change, Graft: change, Cut: change, Date: change, Water: change, Rest: change };
      }
      get events() {
        return { Changed: () => {} };
      }
    }

    it("is valid, and merges a strict payload with what lies beside it", async () => {
      backend = await startBackend({
        composition: { aggregates: [Garden], threads: {} },
        api: { title: "Gardens", version: "1.2.3" },
      });
      const document = await documentOf(backend);
      await expectValid(document);
      expect(document.info).to.deep.equal({ title: "Gardens", version: "1.2.3" });
      const { schemas } = document.components;
      expect(schemas.Plant).to.deep.include({ required: ["kind", "count"], additionalProperties: false });
      expect(schemas.Plant?.properties).to.have.all.keys("aggregateId", "expectedVersion", "kind", "count", "note");
      expect(schemas.Plant?.properties?.kind).to.deep.equal({ type: "string", enum: ["oak", "elm"] });
      expect(JSON.stringify(schemas)).not.to.contain('"$schema"');
    });

    it("is made at the first request for it, and once", async () => {
      let made = 0;
      class Counted extends Garden {
        static override readonly path: string = "/counted";
        constructor() {
          super();
          made++;
        }
      }
      backend = await startBackend({ composition: { aggregates: [Counted], threads: {} } });
      const before = made;
      await documentOf(backend);
      const after = made;
      expect(after).to.be.above(before);
      await documentOf(backend);
      expect(made).to.equal(after);
    });

    it("leads references inside a schema to where the schema is now", async () => {
      backend = await startBackend({ composition: { aggregates: [Garden], threads: {} } });
      const document = await documentOf(backend);
      const own = [...JSON.stringify(document.components.schemas.Graft).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
        ([, path = ""]) => path,
      );
      expect(own.length).to.be.above(0);
      for (const path of own) {
        expect(path).to.match(/^components\/schemas\/Graft\.payload\//);
        const found = path.split("/").reduce<unknown>((part, step) => (part as Part | undefined)?.[step], document);
        expect(found, path).to.be.an("object");
      }
    });

    it("leaves a payload open where the schema is no object, cannot tell, or is not there", async () => {
      backend = await startBackend({ composition: { aggregates: [Garden], threads: {} } });
      const { schemas } = (await documentOf(backend)).components;
      expect(schemas.Cut?.allOf).to.have.length(2);
      for (const command of ["Date", "Water", "Rest"]) {
        expect(schemas[command]?.properties, command).to.have.all.keys("aggregateId", "expectedVersion");
        expect(schemas[command], command).not.to.have.property("additionalProperties");
      }
    });
  });
});

function operationsOf(
  document: Document,
): readonly { readonly path: string; readonly method: string; readonly operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => (operation === undefined ? [] : [{ path, method, operation }])),
  );
}
