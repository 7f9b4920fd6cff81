import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { cloudFormation } from "../../adapters/dynamodb/index.ts";
import { bundle } from "../../functions/aws/deploy/build.ts";
import { tablePolicy } from "../../functions/aws/deploy/policies.ts";
import { TEMPLATE, templateText } from "../../functions/aws/deploy/template.ts";
import { readAwsSettings, readIssuerSettings, readPolls } from "../../functions/aws/settings.ts";
import { readEdgeSettings } from "../../functions/edge-settings.ts";
import { operatorPolicy } from "../../rules/iam-policy.ts";
import { allows } from "../support/rules-policy.ts";

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Default?: string | number }>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

/** What CloudFormation gives back of each type that the template asks something of. */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  "AWS::DynamoDB::Table": ["Arn", "StreamArn"],
  "AWS::Events::Rule": ["Arn"],
  "AWS::IAM::Role": ["Arn", "RoleId"],
  "AWS::Lambda::Function": ["Arn"],
  "AWS::Lambda::Url": ["FunctionArn", "FunctionUrl"],
  "AWS::Logs::LogGroup": ["Arn"],
  "AWS::SQS::Queue": ["Arn", "QueueName", "QueueUrl"],
};
const PSEUDO = ["AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackName"];
/** What the functions look at too: Lambda sets it, or whoever wants more than the defaults. */
const UNSET = ["AWS_LAMBDA_FUNCTION_NAME", "TENANT_BURST", "ACTOR_RATE", "ACTOR_BURST", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"];
const ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/evenant";

/** Everything that the template refers to but does not have. */
function unresolved(template: Template): readonly string[] {
  const { Resources, Parameters, Conditions } = template;
  const isNamed = (name: string) => name in Resources || name in Parameters || PSEUDO.includes(name);
  const isAttribute = (name: string, attribute: string) => ATTRIBUTES[Resources[name]?.Type ?? ""]?.includes(attribute) === true;
  const missing: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "Ref" && !isNamed(inner)) missing.push(inner);
      if (key === "Fn::GetAtt" && !isAttribute(inner[0], inner[1])) missing.push(inner.join("."));
      if (key === "Fn::If" && !(inner[0] in Conditions)) missing.push(inner[0]);
      if (key === "DependsOn") missing.push(...[inner].flat().filter((name: string) => !(name in Resources)));
      if (key === "Fn::Sub") {
        for (const [, text = ""] of String(inner).matchAll(/\$\{([^}]+)\}/g)) {
          const [name = "", attribute] = text.split(".");
          if (attribute === undefined ? !isNamed(name) : !isAttribute(name, attribute)) missing.push(text);
        }
      }
      walk(inner);
    }
  };
  walk(template);
  return missing;
}

describe("The CloudFormation template", () => {
  let template: Template;
  let folder = "";
  const functions = () => Object.entries(template.Resources).filter(([, { Type }]) => Type === "AWS::Lambda::Function");

  before(async () => {
    template = JSON.parse(await readFile(TEMPLATE, "utf8"));
    folder = await mkdtemp(join(tmpdir(), "evenant-aws-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("is what the generator makes", async () => {
    expect(await readFile(TEMPLATE, "utf8"), "run `npm run build:aws`").to.equal(templateText());
  });

  it("refers to nothing that it does not have, and uses every parameter and condition", () => {
    expect(unresolved(template)).to.deep.equal([]);
    const { Parameters, Conditions, ...rest } = template;
    const text = JSON.stringify([rest, Conditions]);
    for (const name of Object.keys(Parameters)) expect(text, name).to.contain(`{"Ref":"${name}"}`);
    for (const name of Object.keys(Conditions)) expect(JSON.stringify(rest), name).to.contain(`"Fn::If":["${name}"`);
  });

  it("would be caught with a reference that leads nowhere", () => {
    const broken = (from: string, to: string) => unresolved(JSON.parse(JSON.stringify(template).replace(from, to)));
    expect(broken('{"Ref":"Http"}', '{"Ref":"Htp"}')).to.deep.equal(["Htp"]);
    expect(broken('["EvenantTable","StreamArn"]', '["EvenantTable","Stream"]')).to.deep.equal(["EvenantTable.Stream"]);
    expect(broken('["IsHttpReserved",', '["IsReserved",')).to.deep.equal(["IsReserved"]);
    expect(broken("{EvenantTable.Arn}", "{Table.Arn}")).to.deep.equal(["Table.Arn"]);
  });

  it("names handlers that are in the bundle", async function () {
    this.timeout(20_000);
    await bundle(folder);
    const handlers = functions().map(([, { Properties }]) => String(Properties.Handler));
    expect(handlers).to.deep.equal(["http.handler", "on-stream.handler", "sweep.handler"]);
    for (const handler of handlers) {
      const [file, name] = handler.split(".");
      expect(existsSync(join(folder, `${file}.mjs`)), handler).to.equal(true);
      expect(await readFile(join(folder, `${file}.mjs`), "utf8")).to.match(new RegExp(`export\\{[^}]*as ${name}[,}]`));
    }
  });

  it("makes the table of the adapter, with its stream, its TTL and protection against deletion", () => {
    const { EvenantTable } = cloudFormation("evenant", { stream: true, pointInTimeRecovery: true, deletionProtection: true });
    const { TableName, ...properties } = template.Resources.EvenantTable?.Properties ?? {};
    const { TableName: _made, ...made } = EvenantTable.Properties;
    expect(properties).to.deep.equal(made);
    expect(TableName).to.deep.equal({ Ref: "TableName" });
  });

  it("sets what each function reads, and nothing that it does not know", () => {
    for (const [id, { Properties }] of functions()) {
      const { Variables } = Properties.Environment as { readonly Variables: Readonly<Record<string, { readonly Ref: string }>> };
      const values = Object.entries(Variables).map(([name, { Ref }]) => [
        name,
        String(template.Parameters[Ref]?.Default ?? "https://x.example"),
      ]);
      const asked = new Set<string>();
      const environment = new Proxy(Object.fromEntries(values) as Readonly<Record<string, string>>, {
        get: (target, name: string) => {
          asked.add(name);
          return target[name];
        },
      });
      readAwsSettings(environment);
      if (id === "Http") {
        readIssuerSettings(environment);
        readEdgeSettings(environment);
      }
      if (id === "Sweep") readPolls(environment);
      for (const name of UNSET) asked.delete(name);
      expect([...asked].sort(), id).to.deep.equal(Object.keys(Variables).sort());
    }
  });

  it("gives each function's role the generated policy on this table, and no wildcard", () => {
    const statementsOf = (id: string) => {
      const { Policies } = template.Resources[`${id}Role`]!.Properties;
      const [policy] = Policies as { PolicyDocument: { Statement: Record<string, unknown>[] } }[];
      return policy?.PolicyDocument.Statement ?? [];
    };
    const resource = [{ "Fn::GetAtt": ["EvenantTable", "Arn"] }];
    for (const [id, name] of [
      ["Http", "http"],
      ["OnStream", "onStream"],
      ["Sweep", "sweep"],
    ] as const) {
      const [generated] = tablePolicy(name, ARN).Statement;
      expect(statementsOf(id)[0], id).to.deep.equal({ ...generated, Resource: resource });
      for (const { Action, Resource } of statementsOf(id)) {
        expect(JSON.stringify(Action), id).not.to.contain("*");
        expect(Resource, id).not.to.equal("*");
      }
    }
    expect(tablePolicy("http", ARN)).to.deep.equal(operatorPolicy(ARN));
  });

  it("keeps the doorbell from the registry", () => {
    const ask = (action: string, ...keys: string[]) =>
      allows(tablePolicy("onStream", ARN), {
        action: `dynamodb:${action}`,
        resource: ARN,
        context: keys.length === 0 ? {} : { "dynamodb:LeadingKeys": keys },
      });
    expect(ask("GetItem", "T#acme#L")).to.equal(true);
    expect(ask("PutItem", "T#acme#V#totals", "T#acme#H")).to.equal(true);
    expect(ask("Query", "R#")).to.equal(false);
    expect(ask("PutItem", "T#acme#L", "R#")).to.equal(false);
    expect(ask("PutItem", "S#")).to.equal(false);
    expect(ask("Query")).to.equal(false);
    expect(ask("Scan")).to.equal(false);
  });
});
