import { REGISTRY } from "./keys.ts";

const OPEN_LOG = new RegExp(`(?:^|/)${REGISTRY}/([^/]+)/log/open(?:-\\d+)?$`);

/**
 * The tenant whose open log lies at a document's path, as a trigger of Firestore names it (`tenants/acme/log/open`, also with what comes
 * before `tenants`); undefined for any other document, a page of the log for one.
 *
 * A doorbell only: who names it is not to be trusted, and what it names is to be polled.
 */
export function tenantWithNews(document: string): string | undefined {
  return OPEN_LOG.exec(document)?.[1];
}
