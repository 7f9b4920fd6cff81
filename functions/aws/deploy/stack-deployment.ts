import type { IAM } from "@aws-sdk/client-iam";
import { deployedTable } from "./deployed-table.ts";
import type { DeployedDoorbell, DeployedFunction, IDeployment } from "./doctor-checks.ts";
import { idOf } from "./lambda-functions.ts";
import { TABLE } from "./template.ts";

/** Looks at a deployed stack with the credentials and the region of the environment. The SDKs are loaded at the first look. */
export function stackDeployment(stack: string): IDeployment {
  let opened: ReturnType<typeof openClients> | undefined;
  const clients = () => {
    opened ??= openClients();
    return opened;
  };

  const nameOf = async (id: string, abortSignal: AbortSignal): Promise<string> => {
    const { formation } = await clients();
    const { StackResourceDetail: detail } = await formation.describeStackResource(
      { StackName: stack, LogicalResourceId: id },
      { abortSignal },
    );
    if (!detail?.PhysicalResourceId) throw new Error(`the stack ${stack} has no ${id}`);
    return detail.PhysicalResourceId;
  };

  return {
    table: async (signal) => {
      const { database } = await clients();
      return deployedTable(database, await nameOf(TABLE, signal), signal);
    },

    function: async (name, abortSignal): Promise<DeployedFunction> => {
      const { lambda } = await clients();
      const { Environment } = await lambda.getFunctionConfiguration(
        { FunctionName: await nameOf(idOf(name), abortSignal) },
        { abortSignal },
      );
      const { access } = await clients();
      const role = await nameOf(`${idOf(name)}Role`, abortSignal);
      return { environment: Environment?.Variables ?? {}, statements: await statementsOf(access, role, abortSignal) };
    },

    doorbell: async (abortSignal): Promise<DeployedDoorbell> => {
      const { lambda } = await clients();
      const UUID = await nameOf("Doorbell", abortSignal);
      const { State, FilterCriteria, FunctionResponseTypes = [] } = await lambda.getEventSourceMapping({ UUID }, { abortSignal });
      return {
        isEnabled: /^Enabl/.test(State ?? ""),
        filters: FilterCriteria?.Filters?.map(({ Pattern = "{}" }) => JSON.parse(Pattern)) ?? [],
        reportsFailures: FunctionResponseTypes.includes("ReportBatchItemFailures"),
      };
    },
  };
}

async function openClients() {
  const [{ CloudFormation }, { DynamoDB }, { IAM }, { Lambda }] = await Promise.all([
    import("@aws-sdk/client-cloudformation"),
    import("@aws-sdk/client-dynamodb"),
    import("@aws-sdk/client-iam"),
    import("@aws-sdk/client-lambda"),
  ]);
  return { formation: new CloudFormation(), database: new DynamoDB(), access: new IAM(), lambda: new Lambda() };
}

/** Every statement of a role. @throws {Error} for a role with policies beside the template's. */
async function statementsOf(access: IAM, RoleName: string, abortSignal: AbortSignal): Promise<readonly unknown[]> {
  const [{ PolicyNames = [] }, { AttachedPolicies = [] }] = await Promise.all([
    access.listRolePolicies({ RoleName }, { abortSignal }),
    access.listAttachedRolePolicies({ RoleName }, { abortSignal }),
  ]);
  const attached = AttachedPolicies.map(({ PolicyName }) => PolicyName);
  if (attached.length > 0)
    throw new Error(`the role ${RoleName} has more policies than the template's: detach ${attached.join(", ")}`);
  const statements: unknown[] = [];
  for (const PolicyName of PolicyNames) {
    const { PolicyDocument = "{}" } = await access.getRolePolicy({ RoleName, PolicyName }, { abortSignal });
    // IAM gives documents percent-encoded.
    statements.push(...[JSON.parse(decodeURIComponent(PolicyDocument)).Statement ?? []].flat());
  }
  return statements;
}
