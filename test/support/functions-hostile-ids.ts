/** An id that somebody might send to break out of an address, and whether it is a good id nevertheless. */
export interface HostileId {
  readonly id: string;
  readonly isValid: boolean;
}

const VALID = [
  "..",
  ".",
  "...",
  "a/b",
  "/",
  "//",
  "/a",
  "a/",
  "a//b",
  "../events",
  "a/../b",
  "./a",
  "events",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "__reserved__",
  "%2F",
  "%2f",
  "%",
  "%%",
  "%zz",
  "%00",
  "%25",
  "%252F",
  "%2e%2e",
  "%ED%A0%80",
  "a#b",
  "#",
  "T#acme#x",
  "a?b",
  "?id=x",
  "a&id=b",
  "a=b",
  "a+b",
  "a b",
  " ",
  " a",
  "a ",
  "a:b",
  "a;b",
  "a,b",
  "a@b",
  "a\\b",
  "..\\a",
  "a|b",
  "a*b",
  "$where",
  "`id`",
  "'; DROP TABLE events; --",
  '"',
  "<script>",
  "{}",
  "null",
  "undefined",
  "0",
  "-1",
  "é",
  "日本語",
  "👩‍👩‍👧",
  "\u200bzero width",
  "\u202eright to left",
  "\ufeff",
  "\ufffd",
  "x".repeat(256),
  "é".repeat(128),
];

const INVALID = [
  "",
  "\u0000",
  "a\u0000b",
  "a\nb",
  "a\r\nX-Header: 1",
  "a\tb",
  "\u001b[31m",
  "\u007f",
  "\u0085",
  "e\u0301",
  "\u212b",
  "\ud800",
  "a\udc00b",
  "x".repeat(257),
  "é".repeat(129),
  "👩".repeat(65),
];

/** More than sixty of them. */
export const HOSTILE_IDS: readonly HostileId[] = [
  ...VALID.map((id) => ({ id, isValid: true })),
  ...INVALID.map((id) => ({ id, isValid: false })),
];

/** Percent-encodes an id as UTF-8; a lone surrogate as the three bytes that a careless encoder makes of it. */
export function encoded(id: string): string {
  return [...id]
    .map((character) => {
      const point = character.codePointAt(0) as number;
      if (point < 0xd800 || point > 0xdfff) return encodeURIComponent(character);
      return `%ED%${(0x80 | ((point >> 6) & 0x3f)).toString(16)}%${(0x80 | (point & 0x3f)).toString(16)}`;
    })
    .join("");
}
