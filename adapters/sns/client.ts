/** One message of a batch. */
export interface SnsEntry {
  Id: string;
  Message: string;
  MessageGroupId: string;
  MessageDeduplicationId: string;
  MessageAttributes: Record<string, { DataType: string; StringValue: string }>;
}

/** A message that SNS did not take. */
export interface SnsFailure {
  readonly Id: string | undefined;
  readonly Code: string | undefined;
  readonly Message?: string | undefined;
}

/** The slice of `SNS` of `@aws-sdk/client-sns` that the publisher uses. */
export interface ISns {
  publishBatch(
    input: { TopicArn: string; PublishBatchRequestEntries: SnsEntry[] },
    options: { abortSignal: AbortSignal },
  ): Promise<{
    readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined;
    readonly Failed?: readonly SnsFailure[] | undefined;
  }>;
}

/** Whether a failure, of one message or of a call, says that the message is too long for SNS. Rights and throttling are none of its faults. */
export function isTooLong(failure: unknown): boolean {
  const { name, Code, message, Message } = failure as Record<string, unknown>;
  const code = String(Code ?? name);
  return /BatchRequestTooLong/.test(code) || (/InvalidParameter/.test(code) && /too long/i.test(String(Message ?? message)));
}
