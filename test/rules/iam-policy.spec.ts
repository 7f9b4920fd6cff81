import { expect } from "chai";
import { ACTIONS, operatorPolicy, type PolicyDocument, tenantPolicy } from "../../rules/iam-policy.ts";
import { allows } from "../support/rules-policy.ts";
import { type DynamoDbRequest, questionsOf, type Session } from "../support/rules-requests.ts";

const TABLE = "evenant";
const arnOf = (table: string) => `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`;
const policy = tenantPolicy(arnOf(TABLE));
const MINE: Session = { tenant: "acme" };

/** One request of each shape that the adapter sends, about the tenants whose partition keys begin so; the last is the one that matters. */
function requestsFor(...prefixes: readonly string[]): readonly DynamoDbRequest[] {
  const last = prefixes.at(-1) ?? "";
  const partitions = [
    `${last}L`,
    `${last}A#loans#l1`,
    `${last}C#c1`,
    `${last}H`,
    `${last}O`,
    `${last}P#business`,
    `${last}V#loans`,
  ];
  const all = prefixes.flatMap((prefix) => [`${prefix}A#loans#l1`, `${prefix}V#loans`]);
  const parts = (kind: string, field: "Key" | "Item") =>
    all.map((pk) => ({ [kind]: { TableName: TABLE, [field]: { pk, sk: "s" } } }));
  return [
    ...partitions.flatMap((pk): DynamoDbRequest[] => [
      { method: "get", input: { TableName: TABLE, Key: { pk, sk: "s" } } },
      { method: "put", input: { TableName: TABLE, Item: { pk, sk: "s", body: "{}" } } },
      { method: "update", input: { TableName: TABLE, Key: { pk, sk: "s" } } },
      { method: "delete", input: { TableName: TABLE, Key: { pk, sk: "s" } } },
      {
        method: "query",
        input: { TableName: TABLE, KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": pk } },
      },
    ]),
    { method: "batchGet", input: { RequestItems: { [TABLE]: { Keys: all.map((pk) => ({ pk, sk: "s" })) } } } },
    { method: "transactWrite", input: { TransactItems: parts("Put", "Item") } },
    { method: "transactWrite", input: { TransactItems: parts("Update", "Key") } },
    { method: "transactWrite", input: { TransactItems: parts("Delete", "Key") } },
    { method: "transactWrite", input: { TransactItems: parts("ConditionCheck", "Key") } },
  ];
}

/** A request goes through if every question about it is answered with yes. */
function isAllowed(request: DynamoDbRequest, session: Session, by: PolicyDocument = policy): boolean {
  return questionsOf(request, session, arnOf).every((question) => allows(by, question));
}

const allowedOf = (requests: readonly DynamoDbRequest[], session: Session, by?: PolicyDocument) =>
  requests.filter((request) => isAllowed(request, session, by));

describe("The IAM policy of a tenant", () => {
  it("allows every kind of request on the tenant's own partitions, and only such actions as are needed", () => {
    const requests = requestsFor("T#acme#");
    expect(allowedOf(requests, MINE)).to.deep.equal(requests);
    const asked = new Set(requests.flatMap((request) => questionsOf(request, MINE, arnOf)).map(({ action }) => action));
    expect([...asked].sort()).to.deep.equal([...ACTIONS]);
  });

  for (const other of ["globex", "acme2", "acme-2", "acm", "ACME", "a", "acme_"]) {
    it(`denies everything of ${other}, alone and mixed among requests of its own`, () => {
      expect(allowedOf(requestsFor(`T#${other}#`), MINE)).to.deep.equal([]);
      const mixed = requestsFor("T#acme#", `T#${other}#`);
      expect(allowedOf(mixed, MINE)).to.deep.equal([]);
    });
  }

  it("denies the registry of tenants, and keys that are nobody's", () => {
    for (const prefix of ["R#", "T#", "", "T#acme", "XT#acme#"]) expect(allowedOf(requestsFor(prefix), MINE)).to.deep.equal([]);
  });

  it("denies scans, statements, other tables, indexes and streams, and what concerns the table itself", () => {
    const context = { "aws:PrincipalTag/tenant": ["acme"] };
    const keyed = { ...context, "dynamodb:LeadingKeys": ["T#acme#L"] };
    expect(isAllowed({ method: "scan", input: { TableName: TABLE } }, MINE)).to.equal(false);
    for (const action of [
      "Scan",
      "PartiQLSelect",
      "PartiQLInsert",
      "DescribeTable",
      "DeleteTable",
      "UpdateTable",
      "ExportTableToPointInTime",
    ]) {
      expect(allows(policy, { action: `dynamodb:${action}`, resource: arnOf(TABLE), context }), action).to.equal(false);
      expect(allows(policy, { action: `dynamodb:${action}`, resource: arnOf(TABLE), context: keyed }), action).to.equal(false);
    }
    for (const resource of [arnOf("other"), arnOf(`${TABLE}2`), `${arnOf(TABLE)}/index/by-date`, `${arnOf(TABLE)}/stream/1`]) {
      expect(allows(policy, { action: "dynamodb:Query", resource, context: keyed }), resource).to.equal(false);
    }
  });

  it("denies a request without keys, whatever its action: ForAllValues alone would allow it", () => {
    const { Statement } = policy;
    const { Null: _, ...rest } = Statement[0]?.Condition ?? {};
    const careless: PolicyDocument = { ...policy, Statement: [{ ...Statement[0]!, Condition: rest }] };
    for (const action of ACTIONS) {
      const request = { action, resource: arnOf(TABLE), context: { "aws:PrincipalTag/tenant": ["acme"] } };
      expect(allows(careless, request)).to.equal(true);
      expect(allows(policy, request)).to.equal(false);
    }
  });

  it("gives a session nothing whose tag is missing, empty, or would count as a pattern", () => {
    const requests = [...requestsFor("T#acme#"), ...requestsFor("T#a#"), ...requestsFor("T##")];
    const sessions: readonly Session[] = [
      {},
      { Tenant: "acme" },
      { tenant: "*" },
      { tenant: "acm?" },
      { tenant: "a*" },
      { tenant: "acme#A" },
    ];
    for (const session of sessions) expect(allowedOf(requests, session), JSON.stringify(session)).to.deep.equal([]);
    expect(allowedOf(requestsFor("T#acme#"), { tenant: "" })).to.deep.equal([]);
  });

  it("keeps apart what a policy without the closing # mixes up", () => {
    const open = JSON.parse(JSON.stringify(policy).replace("}#*", "}*")) as PolicyDocument;
    const requests = requestsFor("T#acme2#");
    expect(allowedOf(requests, MINE, open)).to.deep.equal(requests);
    expect(allowedOf(requests, MINE)).to.deep.equal([]);
  });

  it("refuses a table that would reach further, and an ill-formed tag", () => {
    for (const table of [
      "*",
      "arn:aws:dynamodb:eu-central-1:123456789012:table/*",
      "arn:aws:dynamodb:*:1:table/evenant",
      "evenant",
    ]) {
      expect(() => tenantPolicy(table), table).to.throw(RangeError);
      expect(() => operatorPolicy(table), table).to.throw(RangeError);
    }
    expect(() => tenantPolicy(arnOf(TABLE), "tenant}*")).to.throw(RangeError);
  });
});

describe("The IAM policy of the operator", () => {
  it("allows every tenant and the registry, and still no scan", () => {
    const requests = [...requestsFor("T#acme#"), ...requestsFor("R#")];
    const by = operatorPolicy(arnOf(TABLE));
    expect(allowedOf(requests, {}, by)).to.deep.equal(requests);
    expect(isAllowed({ method: "scan", input: { TableName: TABLE } }, {}, by)).to.equal(false);
  });
});
