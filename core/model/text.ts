// The global that Node, browsers, workers and edge runtimes share; core is compiled without the types of any of them.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

const UTF8 = new TextEncoder();
/** With the flag u, the halves of a pair are one character: only lone surrogates match. */
const LONE_SURROGATE = /\p{Cs}/u;

/** The text as UTF-8; a lone surrogate becomes U+FFFD. */
export function utf8(text: string): Uint8Array {
  return UTF8.encode(text);
}

/** Whether a text has no lone surrogate, so that it comes back from UTF-8 as it was. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** Whether a text is printable ASCII without quotation mark and backslash: one byte a character everywhere. Most are, so this is quick. */
export function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
  }
  return true;
}

/** The bytes of a text as JSON, with its quotation marks; undefined for a text that is not well-formed. Linear. */
export function jsonBytes(text: string): number | undefined {
  if (isPlain(text)) return text.length + 2;
  return isWellFormed(text) ? utf8(JSON.stringify(text)).length : undefined;
}
