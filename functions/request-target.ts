import { checkInteger, Err } from "../core/index.ts";
import { Refusal } from "./problem.ts";

/*
 * Ids may hold any character, also `/`, `%` and `.`: a lenient or second decoding would turn one id into another. So paths are routed as
 * they were sent, and each part is decoded here, once and strictly.
 *
 * One thing cannot be said in a path at all: clients drop the segments `.` and `..` (also spelled `%2e`) before they send. Those ids go
 * into the query, `?id=..`, which every route with an id in its path takes as well.
 */

/** The path of a request as it was sent, still percent-encoded; what Hono routes by. */
export function rawPath(request: Request): string {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("//") + 2);
  return url.slice(start).split(/[?#]/, 1)[0] as string;
}

/** Decodes one segment of a raw path, counted from 0 after the leading slash. */
export function pathSegment(path: string, index: number, name: string): string {
  return decode(path.split("/")[index + 1] ?? "", name);
}

/** The command that a raw path names; undefined where it names none, or is not well encoded. */
export function commandIn(path: string): string | undefined {
  const [, route, name = ""] = path.split("/");
  if (route !== "commands") return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

/** The text of a query parameter; undefined where it is absent. A `+` is a space, as forms send it. */
export function queryText(url: string, name: string): string | undefined {
  const query = url.split("#", 1)[0]?.split("?").slice(1).join("?") ?? "";
  const values = query.split("&").filter((part) => part === name || part.startsWith(`${name}=`));
  if (values.length > 1) throw Err.invalidArgument(name, "give it once");
  return values[0] === undefined ? undefined : decode(values[0].slice(name.length + 1).replaceAll("+", " "), name);
}

/** A query parameter that must be an integer of at least `least`; undefined where it is absent. */
export function queryInteger(url: string, name: string, least: number, most?: number): number | undefined {
  const text = queryText(url, name);
  if (text === undefined) return undefined;
  return checkInteger(/^-?\d{1,16}$/.test(text) ? Number(text) : text, name, least, most);
}

/** A query parameter that must be there. */
export function requiredText(url: string, name: string): string {
  const text = queryText(url, name);
  if (text === undefined || text === "")
    throw Err.missingArgument(`${name} (in the query: clients drop the ids . and .. from paths)`);
  return text;
}

/**
 * Refuses a raw request target (as in an HTTP/1.1 request line) that the making of a URL would change: `.` and `..` segments, which would
 * climb to another resource, `#`, backslashes, and characters that must be percent-encoded. For servers that see the raw target.
 */
export function checkRawTarget(target: string): void {
  const path = target.split("?", 1)[0] as string;
  const isChanged = /[^!-~]|[\\#]/.test(target) || /(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path);
  if (isChanged)
    throw new Refusal(
      "malformed",
      "the request target is not one that URLs keep: percent-encode it, and send the ids . and .. as ?id=",
    );
}

function decode(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw Err.invalidArgument(name, "percent-encode it as UTF-8 (encodeURIComponent does)");
  }
}
