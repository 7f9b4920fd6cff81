// The second door, for adapters only: what every store needs and no application does, so that applications do not load it.
export { decode } from "./model/decode.ts";
export { redacted } from "./model/redact.ts";
export { checkForward, cursorsAfter } from "./ports/cursor-order.ts";
export { Doorbell } from "./ports/doorbell.ts";
export { commitRecord, importedCursor, threadRecords } from "./ports/export-records.ts";
export { fullJitter } from "./ports/full-jitter.ts";
export { ImportOrder } from "./ports/import-order.ts";
