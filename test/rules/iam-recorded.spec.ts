import { expect } from "chai";
import type { IDocument } from "../../adapters/dynamodb/index.ts";
import { defaultPlatform } from "../../core/index.ts";
import { ACTIONS, operatorPolicy, tenantPolicy } from "../../rules/iam-policy.ts";
import { FACETS } from "../contract/facets.ts";
import { Run } from "../contract/run.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, dynamoDbTable } from "../support/dynamodb-store.ts";
import { allows } from "../support/rules-policy.ts";
import { type DynamoDbRequest, questionsOf, type Session } from "../support/rules-requests.ts";
import { TurnedClock } from "../support/turned-clock.ts";

const arnOf = (table: string) => `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`;

/** A document client that writes down the shape of each request once: its method, its actions and its tenants. */
function recorded(document: IDocument, requests: Map<string, DynamoDbRequest>): IDocument {
  return new Proxy(document, {
    get: (target, name) => {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (input: DynamoDbRequest["input"], ...rest: unknown[]) => {
        const request = { method: String(name) as DynamoDbRequest["method"], input };
        const shape = JSON.stringify(
          questionsOf(request, {}, arnOf).map(({ action, context }) => [action, context["dynamodb:LeadingKeys"]]),
        );
        requests.set(shape, request);
        return method.call(target, input, ...rest);
      };
    },
  });
}

/** The tenants whose partitions a request concerns; "" stands for the registry. */
function tenantsOf(request: DynamoDbRequest): readonly string[] {
  const partitions = questionsOf(request, {}, arnOf).flatMap(({ context }) => context["dynamodb:LeadingKeys"] ?? ["?"]);
  return [...new Set(partitions.map((pk) => (pk === "R#" ? "" : (/^T#([^#]+)#/.exec(pk)?.[1] ?? "?"))))];
}

(hasDynamoDb() ? describe : describe.skip)(
  "The IAM policy of a tenant, over all that a run of the contract asks of DynamoDB",
  function () {
    this.timeout(300_000);
    const requests = new Map<string, DynamoDbRequest>();
    let table: DynamoDbTable;

    before(async () => {
      table = await dynamoDbTable();
      const clock = new TurnedClock();
      const store = table.store({ now: () => clock.now() }, (document) => recorded(document, requests));
      const run = new Run(store, clock, defaultPlatform.newId().replaceAll(/[^A-Za-z0-9]/g, "x"));
      for (const clause of FACETS.flatMap(({ clauses }) => clauses)) await run.check(clause);
      await store.close();
    });
    after(() => table?.close());

    const isAllowed = (request: DynamoDbRequest, session: Session) =>
      questionsOf(request, session, arnOf).every((question) => allows(tenantPolicy(arnOf(table.table)), question));

    it("concerns one tenant a request, with or without the registry", () => {
      const kinds = [...requests.values()].map((request) => tenantsOf(request));
      expect(
        kinds.filter((tenants) => tenants.length === 0 || tenants.filter((tenant) => tenant !== "").length > 1),
      ).to.deep.equal([]);
      expect(kinds.flat()).not.to.include("?");
      expect(requests.size).to.be.at.least(1_000);
    });

    it("names every action that is asked for, and no other", () => {
      const asked = [...requests.values()].flatMap((request) => questionsOf(request, {}, arnOf)).map(({ action }) => action);
      expect([...new Set(asked)].sort()).to.deep.equal([...ACTIONS]);
    });

    it("allows a tenant's session all that concerns the tenant, and others nothing of it", () => {
      for (const request of requests.values()) {
        const [tenant = "", ...others] = tenantsOf(request);
        if (tenant === "" || others.length > 0) continue;
        expect(isAllowed(request, { tenant }), JSON.stringify(request)).to.equal(true);
        for (const other of [`${tenant}2`, `${tenant}-`, tenant.slice(0, -1), tenant.toLowerCase() + tenant, "globex"])
          expect(isAllowed(request, { tenant: other }), `${other}: ${JSON.stringify(request)}`).to.equal(false);
      }
    });

    it("leaves the registry to the operator, whose policy allows everything recorded", () => {
      const operator = operatorPolicy(arnOf(table.table));
      const registry = [...requests.values()].filter((request) => tenantsOf(request).includes(""));
      expect(registry).not.to.have.length(0);
      for (const request of registry)
        expect(isAllowed(request, { tenant: tenantsOf(request).find((name) => name !== "") ?? "acme" })).to.equal(false);
      for (const request of requests.values())
        expect(questionsOf(request, {}, arnOf).every((question) => allows(operator, question))).to.equal(true);
    });
  },
);
