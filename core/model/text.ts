/** What one pass over a text tells: its size as UTF-8, its size inside a JSON string, and whether it has a lone surrogate. */
export interface TextScan {
  readonly bytes: number;
  readonly jsonBytes: number;
  readonly isWellFormed: boolean;
}

const SHORT_ESCAPES = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d]);

/** The bytes of a text inside a JSON string, where none of its characters needs an escape or more than one byte; else -1. */
export function plainBytes(text: string): number {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return -1;
  }
  return text.length;
}

/** Measures `text` in UTF-8 bytes, without and with JSON's escapes (quotation marks not counted). Linear, allocates nothing else. */
export function scanText(text: string): TextScan {
  let bytes = 0;
  let escapes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes += 1;
      if (unit === 0x22 || unit === 0x5c) escapes += 1;
      else if (unit < 0x20) escapes += SHORT_ESCAPES.has(unit) ? 1 : 5;
    } else if (unit < 0x800) bytes += 2;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 3;
    else {
      const following = text.charCodeAt(index + 1);
      if (unit > 0xdbff || !(following >= 0xdc00 && following <= 0xdfff)) return { bytes, jsonBytes: bytes, isWellFormed: false };
      bytes += 4;
      index++;
    }
  }
  return { bytes, jsonBytes: bytes + escapes, isWellFormed: true };
}
