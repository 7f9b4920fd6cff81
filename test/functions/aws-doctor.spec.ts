import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { deployedTable } from "../../functions/aws/deploy/deployed-table.ts";
import {
  awsChecks,
  type DeployedDoorbell,
  type DeployedFunction,
  type DeployedTable,
  type IDeployment,
  templateCheck,
} from "../../functions/aws/deploy/doctor-checks.ts";
import type { FunctionName } from "../../functions/aws/deploy/lambda-functions.ts";
import { tablePolicy } from "../../functions/aws/deploy/policies.ts";
import { STREAM_FILTER } from "../../functions/aws/deploy/template.ts";
import { examine } from "../../functions/doctor/examine.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { clientOf, dynamoDbTable } from "../support/dynamodb-store.ts";
import { streamedTable } from "../support/dynamodb-stream.ts";
import { type Issuer, issuerKey, startIssuer } from "../support/jwks-server.ts";

const ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/evenant";
const TABLE: DeployedTable = {
  arn: ARN,
  keys: ["pk HASH S", "sk RANGE S"],
  isStreaming: true,
  isProtected: true,
  ttl: "expires",
};
const DOORBELL: DeployedDoorbell = { isEnabled: true, filters: [STREAM_FILTER], reportsFailures: true };
const LOGS = { Effect: "Allow", Action: ["logs:PutLogEvents"], Resource: "arn:aws:logs:eu-central-1:123456789012:log-group:x:*" };
const STREAMS = { Effect: "Allow", Action: ["dynamodb:GetRecords", "dynamodb:ListStreams"], Resource: `${ARN}/stream/x` };

/** What a case changes of a stack in which all is well. */
interface Changed {
  readonly table?: Partial<DeployedTable>;
  readonly doorbell?: Partial<DeployedDoorbell>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly statements?: readonly unknown[];
}

describe("The doctor's look at a stack on AWS", () => {
  let issuer: Issuer;
  before(async () => {
    issuer = await startIssuer([await issuerKey("k1")]);
  });
  after(() => issuer.close());

  const stack = ({ table, doorbell, environment, statements }: Changed): IDeployment => ({
    table: async () => ({ ...TABLE, ...table }),
    doorbell: async () => ({ ...DOORBELL, ...doorbell }),
    function: async (name: FunctionName): Promise<DeployedFunction> => ({
      environment: {
        EVENANT_TABLE: "evenant",
        ...(name === "http" && { TOKEN_ISSUER: issuer.url, TOKEN_AUDIENCE: "client-1" }),
        ...environment,
      },
      statements: statements ?? [...tablePolicy(name, ARN).Statement, LOGS, ...(name === "onStream" ? [STREAMS] : [])],
    }),
  });
  /** The claims that are wrong, and what to do about each. */
  const wrongIn = async (deployment: IDeployment) =>
    (await examine(awsChecks(deployment))).flatMap(({ claim, finding }) =>
      finding.status === "wrong" ? [`${claim}: ${finding.advice}`] : [],
    );

  it("finds nothing wrong where all is well", async () => {
    expect(await wrongIn(stack({}))).to.deep.equal([]);
    expect(await templateCheck.examine(AbortSignal.timeout(1_000))).to.deep.equal({ status: "ok" });
  });

  const open = { Sid: "All", Effect: "Allow", Action: "dynamodb:*", Resource: "*" };
  const CASES: readonly (readonly [title: string, changed: Changed, wrong: readonly RegExp[]])[] = [
    ["other keys", { table: { keys: ["id HASH S"] } }, [/keys of the adapter: It has id HASH S/]],
    ["no TTL", { table: { ttl: undefined } }, [/TTL is on.*: It is off/]],
    ["TTL on another attribute", { table: { ttl: "ttl" } }, [/looks at ttl, not at expires/]],
    ["no stream", { table: { isStreaming: false } }, [/stream is on: It is off/]],
    ["a table that anybody may delete", { table: { isProtected: false } }, [/protected against deletion: It is not/]],
    ["a doorbell that is switched off", { doorbell: { isEnabled: false } }, [/disabled: enable it/]],
    ["a doorbell for other records", { doorbell: { filters: [] } }, [/filter is another one/]],
    ["a doorbell that hears nothing back", { doorbell: { reportsFailures: false } }, [/batchItemFailures/]],
    [
      "roles that may do more",
      { statements: [...tablePolicy("http", ARN).Statement, open] },
      [/http: its role's policy.*another one/, /onStream: its role's/, /sweep: its role's/],
    ],
    [
      "roles that may do everything but",
      { statements: [...tablePolicy("http", ARN).Statement, { Effect: "Allow", NotAction: ["iam:*"], Resource: "*" }] },
      [/http: its role's policy.*another one/, /onStream: its role's/, /sweep: its role's/],
    ],
    [
      "roles on another table",
      { statements: tablePolicy("http", `${ARN}2`).Statement },
      [/http: its role's/, /onStream: its role's/, /sweep: its role's/],
    ],
    [
      "roles without a policy",
      { statements: [LOGS] },
      [/http: .* It has none/, /onStream: .* It has none/, /sweep: .* It has none/],
    ],
    [
      "an endpoint that leads elsewhere",
      { environment: { AWS_ENDPOINT_URL: "http://127.0.0.1:8000" } },
      [/http: .*AWS_ENDPOINT_URL is set/, /onStream: .*AWS_ENDPOINT_URL/, /sweep: .*AWS_ENDPOINT_URL/],
    ],
    [
      "no audience",
      { environment: { TOKEN_AUDIENCE: "" } },
      [/http: .*TOKEN_AUDIENCE is not set/, /issuer publishes.*TOKEN_AUDIENCE/],
    ],
    [
      "an issuer that signs otherwise",
      { environment: { TOKEN_ALGORITHMS: "RS256,ES256" } },
      [/publishes none for ES256: set TOKEN_ALGORITHMS/],
    ],
    [
      "keys that are not there",
      { environment: { TOKEN_JWKS_URI: "http://127.0.0.1:1/" } },
      [/It could not be checked: fetch failed/],
    ],
    ["an origin that is none", { environment: { CORS_ORIGINS: "example" } }, [/http: .*CORS_ORIGINS/]],
  ];
  for (const [title, changed, expected] of CASES) {
    it(`finds ${title}, and says what to do`, async () => {
      const found = await wrongIn(stack(changed));
      expect(found, found.join("\n")).to.have.length(expected.length);
      for (const [index, pattern] of expected.entries()) expect(found[index]).to.match(pattern);
    });
  }

  it("is one of npm run doctor", async function () {
    this.timeout(20_000);
    const script = join(import.meta.dirname, "..", "..", "scripts", "doctor.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [script, "aws", "--offline"]);
    expect(stdout).to.match(/\nok {5}the committed template is the generated one\nAll is well\.\n$/);
  });

  (hasDynamoDb() ? describe : describe.skip)("at a real table", () => {
    const signal = new AbortController().signal;

    it("sees what the adapter made", async () => {
      const table = await streamedTable();
      const seen = await deployedTable(table.client, table.table, signal);
      table.close();
      expect(seen).to.deep.include({ keys: TABLE.keys, isStreaming: true, isProtected: false, ttl: "expires" });
      expect(seen.arn).to.match(new RegExp(`:table/${table.table}$`));
      expect(await wrongIn(stack({ table: { ...seen, arn: ARN, isProtected: true } }))).to.deep.equal([]);
    });

    it("sees what is missing", async () => {
      const plain = await dynamoDbTable();
      expect(await deployedTable(plain.client, plain.table, signal)).to.include({ isStreaming: false });
      plain.close();
      const client = clientOf(plain.endpoint);
      const other = `${plain.table}-other`;
      await client.createTable({
        TableName: other,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "N" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      });
      expect(await deployedTable(client, other, signal)).to.deep.include({ keys: ["id HASH N"], ttl: undefined });
      client.destroy();
    });
  });
});
