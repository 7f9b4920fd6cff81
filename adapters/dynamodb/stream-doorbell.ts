import { openPageKey, parsePartition, versionOf } from "./keys.ts";

/** The slice of a Lambda event of DynamoDB Streams that is read, or of records from its API; a stream of keys is enough. */
export interface StreamEvent {
  readonly Records?: readonly { readonly dynamodb?: { readonly Keys?: Keys | undefined } | undefined }[] | undefined;
}

type Keys = Readonly<Record<string, { readonly S?: string | undefined }>>;

/**
 * The tenants in which something happened that a reader may want to read: commits, voids, tickets. Each once, in the order of their arrival.
 *
 * Only a hint: poll the tenants that it names. Batches may come twice, late or never.
 */
export function tenantsWithNews(event: StreamEvent): readonly string[] {
  const tenants = new Set<string>();
  for (const { dynamodb } of event.Records ?? []) {
    const [pk, sk] = [dynamodb?.Keys?.pk?.S ?? "", dynamodb?.Keys?.sk?.S ?? ""];
    const partition = parsePartition(pk);
    if (partition === undefined) continue;
    const { tenant, kind } = partition;
    if ((kind === "A" && versionOf(sk) !== undefined) || sk === openPageKey(tenant).sk) tenants.add(tenant);
  }
  return [...tenants];
}
