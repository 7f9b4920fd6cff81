import { deployedTable } from "./deployed-table.ts";
import type { DeployedDoorbell, DeployedFunction, IDeployment } from "./doctor-checks.ts";
import { type FunctionName, idOf } from "./lambda-functions.ts";
import { TABLE } from "./template.ts";

/** Opens a deployed stack for looking, with the credentials and the region of the environment. The SDKs are loaded here. */
export async function stackDeployment(stack: string): Promise<IDeployment> {
  const [{ CloudFormation }, { DynamoDB }, { IAM }, { Lambda }] = await Promise.all([
    import("@aws-sdk/client-cloudformation"),
    import("@aws-sdk/client-dynamodb"),
    import("@aws-sdk/client-iam"),
    import("@aws-sdk/client-lambda"),
  ]);
  const [formation, database, access, lambda] = [new CloudFormation(), new DynamoDB(), new IAM(), new Lambda()];

  const nameOf = async (id: string, abortSignal: AbortSignal): Promise<string> => {
    const { StackResourceDetail: detail } = await formation.describeStackResource(
      { StackName: stack, LogicalResourceId: id },
      { abortSignal },
    );
    if (!detail?.PhysicalResourceId) throw new Error(`the stack ${stack} has no ${id}`);
    return detail.PhysicalResourceId;
  };

  const deployed = async (name: FunctionName, abortSignal: AbortSignal): Promise<DeployedFunction> => {
    const [FunctionName, RoleName] = await Promise.all([
      nameOf(idOf(name), abortSignal),
      nameOf(`${idOf(name)}Role`, abortSignal),
    ]);
    const [{ Environment }, { PolicyNames = [] }, { AttachedPolicies = [] }] = await Promise.all([
      lambda.getFunctionConfiguration({ FunctionName }, { abortSignal }),
      access.listRolePolicies({ RoleName }, { abortSignal }),
      access.listAttachedRolePolicies({ RoleName }, { abortSignal }),
    ]);
    const attached = AttachedPolicies.map(({ PolicyName }) => PolicyName);
    if (attached.length > 0)
      throw new Error(`the role ${RoleName} has policies that the template does not give it: ${attached.join(", ")}`);
    const statements: unknown[] = [];
    for (const PolicyName of PolicyNames) {
      const { PolicyDocument = "{}" } = await access.getRolePolicy({ RoleName, PolicyName }, { abortSignal });
      // IAM gives documents percent-encoded.
      statements.push(...[JSON.parse(decodeURIComponent(PolicyDocument)).Statement ?? []].flat());
    }
    return { environment: Environment?.Variables ?? {}, statements };
  };

  const doorbell = async (abortSignal: AbortSignal): Promise<DeployedDoorbell> => {
    const UUID = await nameOf("Doorbell", abortSignal);
    const { State, FilterCriteria, FunctionResponseTypes = [] } = await lambda.getEventSourceMapping({ UUID }, { abortSignal });
    return {
      isEnabled: /^Enabl/.test(State ?? ""),
      filters: FilterCriteria?.Filters?.map(({ Pattern = "{}" }) => JSON.parse(Pattern)) ?? [],
      reportsFailures: FunctionResponseTypes.includes("ReportBatchItemFailures"),
    };
  };

  return {
    table: async (signal) => deployedTable(database, await nameOf(TABLE, signal), signal),
    function: deployed,
    doorbell,
  };
}
