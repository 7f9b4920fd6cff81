/** One event as EventBridge takes it. */
export interface EventBridgeEntry {
  EventBusName: string;
  Source: string;
  DetailType: string;
  Detail: string;
  Time: Date;
}

/** What became of one entry. */
export interface EventBridgeResult {
  readonly EventId?: string | undefined;
  readonly ErrorCode?: string | undefined;
  readonly ErrorMessage?: string | undefined;
}

/** The slice of `EventBridge` of `@aws-sdk/client-eventbridge` that the publisher uses. */
export interface IEventBridge {
  putEvents(
    input: { Entries: EventBridgeEntry[] },
    options: { abortSignal: AbortSignal },
  ): Promise<{ readonly Entries?: readonly EventBridgeResult[] | undefined }>;
}

/** Whether an entry's result says that EventBridge will never take it. Rights, quotas, and the bus are none of its faults. */
export function isRefusal({ ErrorCode, ErrorMessage = "" }: EventBridgeResult): boolean {
  return ErrorCode === "MalformedDetail" || (ErrorCode === "InvalidArgument" && !ErrorMessage.includes("EventBusName"));
}

/** Whether an error of the whole call says that it is too large. */
export function isTooLarge(error: unknown): boolean {
  const { name, message } = error as { name?: unknown; message?: unknown };
  return name === "ValidationException" && typeof message === "string" && /total size/i.test(message);
}
