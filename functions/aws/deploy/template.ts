import { join } from "node:path";
import { cloudFormation } from "../../../adapters/dynamodb/index.ts";
import type { PolicyStatement } from "../../../rules/iam-policy.ts";
import { VARIABLES } from "../settings.ts";
import { FUNCTIONS, type FunctionName, NAMES } from "./lambda-functions.ts";
import { tablePolicy } from "./policies.ts";

/** A value in a template: JSON, with `{ Ref }`, `{ "Fn::GetAtt" }` and `{ "Fn::Sub" }` where CloudFormation fills in. */
type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };
type Properties = Readonly<Record<string, Value>>;

/** Where the bundle lies, seen from the template; `aws cloudformation package` uploads it from there. */
export const CODE = "../../dist/aws";

/** The table's logical id. */
export const TABLE = "EvenantTable";
const TABLE_ARN = attribute(TABLE, "Arn");
const STREAM_ARN = attribute(TABLE, "StreamArn");
const QUEUE = "Failures";

/** The committed template. */
export const TEMPLATE = join(import.meta.dirname, "..", "template.json");

/** What whoever deploys chooses; the text is what the guide's table says too. */
const PARAMETERS: Readonly<Record<string, Properties>> = {
  TokenIssuer: text("The claim iss of the tokens, such as https://cognito-idp.REGION.amazonaws.com/POOL"),
  TokenAudience: text("The claim aud of the tokens, such as the id of the app client"),
  TokenJwksUri: text("Where the issuer publishes its keys; empty = the issuer and /.well-known/jwks.json", ""),
  TokenAlgorithms: text("What may sign tokens, separated by commas", "RS256"),
  TokenTenantClaim: text("The claim that names the tenant; Cognito: custom:tenant", "tenant"),
  TokenRolesClaim: text("The claim that lists the roles; Cognito: cognito:groups", "roles"),
  CorsOrigins: text("Origins whose pages may call from a browser, separated by commas; empty = none", ""),
  TenantRate: text("Requests a second that each instance takes from one tenant; empty = no limit", ""),
  TableName: text("The DynamoDB table, made by this stack", "evenant"),
  Tenants: {
    ...text("auto = a tenant is opened by its first command; provisioned = by the operator", "auto"),
    AllowedValues: ["auto", "provisioned"],
  },
  SweepSchedule: text("How often every tenant is looked at, for doorbells that were lost", "rate(5 minutes)"),
  SweepPolls: { ...text("How many polls a sweep may do, at 2 reads and more each", 10_000), MinValue: 1 },
  HttpConcurrency: {
    ...text("How many instances answer HTTP at most, taken from those of the account; 0 = no reservation", 0),
    MinValue: 0,
  },
  LogRetentionDays: text("How long logs are kept, in days; a number that CloudWatch knows", 30),
};

/** The text that the committed template must have. */
export function templateText(): string {
  return `${JSON.stringify(awsTemplate(), undefined, 2)}\n`;
}

/** Makes the CloudFormation template: the table and its stream, the three functions with the least that each needs, and what calls them. */
function awsTemplate() {
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: "Evenant: commands and views over HTTP, on one DynamoDB table",
    Metadata: { Note: "Made by npm run build:aws from functions/aws/deploy/template.ts; do not edit" },
    Parameters: PARAMETERS,
    Conditions: { IsHttpReserved: { "Fn::Not": [{ "Fn::Equals": [ref("HttpConcurrency"), 0] }] } },
    Resources: {
      ...table(),
      [QUEUE]: resource("AWS::SQS::Queue", { MessageRetentionPeriod: 14 * 24 * 60 * 60, SqsManagedSseEnabled: true }),
      ...Object.assign({}, ...NAMES.map(lambda)),
      ...front(),
      ...doorbell(),
      ...schedule(),
    },
    Outputs: {
      Url: { Description: "Where the application answers", Value: attribute("HttpUrl", "FunctionUrl") },
      Table: { Description: "The table", Value: ref(TABLE) },
      Failures: { Description: "Doorbells and sweeps that were given up; the next sweep makes up for them", Value: ref(QUEUE) },
    },
  };
}

function table() {
  const { EvenantTable } = cloudFormation("evenant", { stream: true, pointInTimeRecovery: true, deletionProtection: true });
  return { [TABLE]: { ...EvenantTable, Properties: { ...EvenantTable.Properties, TableName: ref("TableName") } } };
}

function lambda(name: FunctionName) {
  const { id, file, timeout, memory } = FUNCTIONS[name];
  const log = `${id}Log`;
  return {
    [log]: resource("AWS::Logs::LogGroup", {
      LogGroupName: { "Fn::Sub": `/evenant/\${AWS::StackName}/${file}` },
      RetentionInDays: ref("LogRetentionDays"),
    }),
    [`${id}Role`]: role(name, log),
    [id]: resource("AWS::Lambda::Function", {
      Code: CODE,
      Handler: `${file}.handler`,
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Timeout: timeout,
      MemorySize: memory,
      Role: attribute(`${id}Role`, "Arn"),
      Environment: { Variables: variablesOf(name) },
      LoggingConfig: { LogFormat: "Text", LogGroup: ref(log) },
      ...(name === "http" && {
        ReservedConcurrentExecutions: { "Fn::If": ["IsHttpReserved", ref("HttpConcurrency"), ref("AWS::NoValue")] },
      }),
    }),
  };
}

/** One role for each function: its table policy, its own log, and what calls it. */
function role(name: FunctionName, log: string) {
  const statements: Value[] = tablePolicy(name).Statement.map(onTable);
  statements.push(allow(["logs:CreateLogStream", "logs:PutLogEvents"], attribute(log, "Arn")));
  if (name === "onStream") {
    statements.push(
      allow(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], STREAM_ARN),
      allow(["dynamodb:ListStreams"], { "Fn::Sub": `\${${TABLE}.Arn}/stream/*` }),
    );
  }
  if (name !== "http") statements.push(allow(["sqs:SendMessage"], attribute(QUEUE, "Arn")));
  return resource("AWS::IAM::Role", {
    AssumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    },
    Policies: [{ PolicyName: "evenant", PolicyDocument: { Version: "2012-10-17", Statement: statements } }],
  });
}

/** The generated statement, bound to the table of the stack. */
function onTable({ Condition, ...statement }: PolicyStatement): Value {
  return { ...statement, Resource: [TABLE_ARN], ...(Condition && { Condition }) };
}

function variablesOf(name: FunctionName): Properties {
  const { table, tenants, polls, ...http } = VARIABLES;
  const common = { [table]: ref(TABLE), [tenants]: ref("Tenants") };
  if (name === "sweep") return { ...common, [polls]: ref("SweepPolls") };
  if (name === "onStream") return common;
  return {
    ...common,
    [http.issuer]: ref("TokenIssuer"),
    [http.audience]: ref("TokenAudience"),
    [http.jwks]: ref("TokenJwksUri"),
    [http.algorithms]: ref("TokenAlgorithms"),
    [http.tenantClaim]: ref("TokenTenantClaim"),
    [http.rolesClaim]: ref("TokenRolesClaim"),
    [http.origins]: ref("CorsOrigins"),
    [http.tenantRate]: ref("TenantRate"),
  };
}

/** The function's own URL, open to everybody because the application asks for tokens itself. An HTTP API would decode the ids in paths. */
function front() {
  const toAnybody = { FunctionName: ref("Http"), Principal: "*" };
  return {
    HttpUrl: resource("AWS::Lambda::Url", {
      TargetFunctionArn: attribute("Http", "Arn"),
      AuthType: "NONE",
      InvokeMode: "BUFFERED",
    }),
    HttpUrlPermission: resource("AWS::Lambda::Permission", {
      ...toAnybody,
      Action: "lambda:InvokeFunctionUrl",
      FunctionUrlAuthType: "NONE",
    }),
    HttpInvokePermission: resource("AWS::Lambda::Permission", {
      ...toAnybody,
      Action: "lambda:InvokeFunction",
      InvokedViaFunctionUrl: true,
    }),
  };
}

/** Rings for commits only: a ticket says nothing that its commit does not say too, and what readers write is no news. */
export const STREAM_FILTER = {
  eventName: ["INSERT", "MODIFY"],
  dynamodb: { Keys: { pk: { S: [{ prefix: "T#" }] }, sk: { S: [{ prefix: "commit#" }] } } },
};

function doorbell() {
  return {
    Doorbell: resource("AWS::Lambda::EventSourceMapping", {
      EventSourceArn: STREAM_ARN,
      FunctionName: ref("OnStream"),
      StartingPosition: "TRIM_HORIZON",
      BatchSize: 100,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      FilterCriteria: { Filters: [{ Pattern: JSON.stringify(STREAM_FILTER) }] },
      // A tenant that fails holds up those behind it in its shard: not for long, because the sweep comes by anyway.
      MaximumRetryAttempts: 5,
      MaximumRecordAgeInSeconds: 600,
      BisectBatchOnFunctionError: true,
      DestinationConfig: { OnFailure: { Destination: attribute(QUEUE, "Arn") } },
    }),
  };
}

function schedule() {
  return {
    Schedule: resource("AWS::Events::Rule", {
      ScheduleExpression: ref("SweepSchedule"),
      Targets: [{ Id: "sweep", Arn: attribute("Sweep", "Arn") }],
    }),
    SchedulePermission: resource("AWS::Lambda::Permission", {
      FunctionName: ref("Sweep"),
      Action: "lambda:InvokeFunction",
      Principal: "events.amazonaws.com",
      SourceArn: attribute("Schedule", "Arn"),
    }),
    // The next sweep is the retry.
    SweepInvocation: resource("AWS::Lambda::EventInvokeConfig", {
      FunctionName: ref("Sweep"),
      Qualifier: "$LATEST",
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: attribute(QUEUE, "Arn") } },
    }),
  };
}

function resource(Type: string, Properties: Properties) {
  return { Type, Properties };
}

function ref(name: string): Value {
  return { Ref: name };
}

function attribute(name: string, of: string): Value {
  return { "Fn::GetAtt": [name, of] };
}

function allow(Action: readonly string[], Resource: Value): Value {
  return { Effect: "Allow", Action, Resource };
}

/** A parameter, a number where its default is one; without a default it must be given. */
function text(Description: string, Default?: string | number): Properties {
  const Type = typeof Default === "number" ? "Number" : "String";
  return { Type, Description, ...(Default === undefined ? { MinLength: 1 } : { Default }) };
}
