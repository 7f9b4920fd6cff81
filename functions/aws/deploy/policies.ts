import { operatorPolicy, type PolicyDocument, type PolicyStatement } from "../../../rules/iam-policy.ts";
import type { FunctionName } from "./lambda-functions.ts";

/** An ARN that the generated policies accept; in a template a reference to the table takes its place. */
const ANY_TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/evenant";

/** What a function may do with the table: the operator's policy; the doorbell, which nobody's request reaches, not the registry. */
export function tablePolicy(name: FunctionName, tableArn: string = ANY_TABLE): PolicyDocument {
  const operator = operatorPolicy(tableArn);
  return name === "onStream" ? { ...operator, Statement: operator.Statement.map(withoutRegistry) } : operator;
}

/** The same, for tenants' partitions only. `Null` is needed because `ForAllValues` holds of a request without keys. */
function withoutRegistry(statement: PolicyStatement): PolicyStatement {
  return {
    ...statement,
    Sid: "EveryTenantWithoutRegistry",
    Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["T#*"] }, Null: { "dynamodb:LeadingKeys": ["false"] } },
  };
}
