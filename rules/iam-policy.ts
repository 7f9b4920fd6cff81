/** An IAM policy document, in the slice of the language that Evenant writes. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/** One statement: what it allows on which table, and under which conditions (operator -> key -> values). */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** What the DynamoDB adapter asks for; `TransactWriteItems` is permitted by the actions of its parts. No Scan, nothing on the table itself. */
export const ACTIONS = [
  "dynamodb:BatchGetItem",
  "dynamodb:ConditionCheckItem",
  "dynamodb:DeleteItem",
  "dynamodb:GetItem",
  "dynamodb:PutItem",
  "dynamodb:Query",
  "dynamodb:UpdateItem",
] as const;

/** A table's ARN, in any partition of AWS. */
const TABLE = /^arn:[a-z-]+:dynamodb:[A-Za-z0-9-]+:[A-Za-z0-9]+:table\/[A-Za-z0-9_.-]{3,255}$/;
const TAG = /^[A-Za-z0-9_-]{1,128}$/;
/** Texts with `*`, with `?`, and with the `#` that ends a tenant's name in a key: `${*}` and `${?}` stand for the letters themselves. */
const NO_NAMES = ["*", "?"].map((letter) => `*\${${letter}}*`).concat("*#*");

/**
 * Makes the policy of a role whose sessions each serve one tenant, named by a session tag (default `tenant`).
 *
 * Every partition key of a request must begin with `T#<tenant>#`: the closing `#` keeps tenants apart whose names begin alike. The
 * `Null` conditions are needed because `ForAllValues` holds of a request without keys (such as a Scan), and so that a session without
 * the tag reaches nothing; `StringNotLike` refuses tags that would count as patterns. The registry of tenants is out of reach: opening, suspending, importing and erasing are the operator's.
 * @throws {RangeError} for a table that is no ARN of a table (a wildcard would reach others), or an ill-formed tag.
 */
export function tenantPolicy(tableArn: string, sessionTag = "tenant"): PolicyDocument {
  if (!TAG.test(sessionTag)) throw new RangeError(`${sessionTag} is no key of a session tag`);
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OwnTenantOnly",
        Effect: "Allow",
        Action: ACTIONS,
        Resource: [checkTable(tableArn)],
        Condition: {
          "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [`T#\${aws:PrincipalTag/${sessionTag}}#*`] },
          StringNotLike: { [`aws:PrincipalTag/${sessionTag}`]: NO_NAMES },
          Null: { "dynamodb:LeadingKeys": ["false"], [`aws:PrincipalTag/${sessionTag}`]: ["false"] },
        },
      },
    ],
  };
}

/** Makes the policy of the operator's role: all tenants and their registry, still no Scan and nothing on the table itself. */
export function operatorPolicy(tableArn: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [{ Sid: "EveryTenant", Effect: "Allow", Action: ACTIONS, Resource: [checkTable(tableArn)] }],
  };
}

function checkTable(arn: string): string {
  if (!TABLE.test(arn)) throw new RangeError(`${arn} is no ARN of one table`);
  return arn;
}
