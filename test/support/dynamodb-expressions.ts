import type { Item } from "../../adapters/dynamodb/index.ts";

type Values = Readonly<Record<string, unknown>>;
/** A condition, ready to be asked of an item; an absent item has no attributes. */
export type Condition = (item: Item | undefined, values: Values) => boolean;
/** An update, ready to make a new item of an old one. */
export type Update = (item: Item, values: Values) => Item;

const conditions = new Map<string, Condition>();
const updates = new Map<string, Update>();

/** Compiles the part of DynamoDB's condition language that the store uses; each `#name` stands for the attribute `name`. */
export function condition(expression: string): Condition {
  let compiled = conditions.get(expression);
  if (compiled === undefined) {
    const parser = new Parser(expression);
    compiled = parser.either();
    parser.end();
    conditions.set(expression, compiled);
  }
  return compiled;
}

/** Compiles an update expression: SET (values, list_append), ADD (numbers), REMOVE (places of a list, as the list was before). */
export function update(expression: string): Update {
  let compiled = updates.get(expression);
  if (compiled === undefined) {
    const clauses = expression.split(/\b(?=SET |ADD |REMOVE )/).filter((clause) => clause.trim() !== "");
    const steps = clauses.map((clause) => step(clause.trim()));
    compiled = (item, values) => {
      const next: Record<string, unknown> = { ...item };
      for (const apply of steps) apply(next, item, values);
      return next;
    };
    updates.set(expression, compiled);
  }
  return compiled;
}

type Step = (next: Record<string, unknown>, old: Item, values: Values) => void;

function step(clause: string): Step {
  const [verb = "", ...rest] = clause.split(" ");
  const body = rest.join(" ");
  if (verb === "REMOVE") return remove(body);
  const parts = body.split(/,(?![^(]*\))/).map((part) => part.trim());
  if (verb === "ADD") {
    return (next, old, values) => {
      for (const part of parts) {
        const [name = "", value = ""] = part.split(" ");
        next[name.slice(1)] = Number(old[name.slice(1)] ?? 0) + Number(values[value]);
      }
    };
  }
  return (next, old, values) => {
    for (const part of parts) {
      const [target = "", source = ""] = part.split(" = ");
      const append = /^list_append\(#(\w+), (:\w+)\)$/.exec(source);
      next[target.slice(1)] =
        append === null ? values[source] : [...(old[append[1] ?? ""] as unknown[]), ...(values[append[2] ?? ""] as unknown[])];
    }
  };
}

function remove(body: string): Step {
  const places = new Set(Array.from(body.matchAll(/\[(\d+)\]/g), ([, place]) => Number(place)));
  const name = /#(\w+)/.exec(body)?.[1] ?? "";
  return (next, old) => {
    next[name] = (old[name] as unknown[]).filter((_, place) => !places.has(place));
  };
}

/** A recursive descent over `OR`, `AND`, parentheses, attribute_exists, attribute_not_exists and comparisons. */
class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = text.match(/[()]|<=|>=|<>|[<>=]|[#:]?\w+/g) ?? [];
  }

  either(): Condition {
    const parts = [this.#all()];
    while (this.#tokens[this.#at] === "OR") {
      this.#at++;
      parts.push(this.#all());
    }
    return parts.length === 1 ? (parts[0] as Condition) : (item, values) => parts.some((part) => part(item, values));
  }

  end(): void {
    if (this.#at !== this.#tokens.length) throw new Error(`the model does not know ${this.#tokens.slice(this.#at).join(" ")}`);
  }

  #all(): Condition {
    const parts = [this.#one()];
    while (this.#tokens[this.#at] === "AND") {
      this.#at++;
      parts.push(this.#one());
    }
    return parts.length === 1 ? (parts[0] as Condition) : (item, values) => parts.every((part) => part(item, values));
  }

  #one(): Condition {
    const token = this.#take();
    if (token === "(") {
      const inner = this.either();
      this.#take();
      return inner;
    }
    if (token === "attribute_exists" || token === "attribute_not_exists") {
      this.#take();
      const name = this.#take().replace("#", "");
      this.#take();
      return token === "attribute_exists" ? (item) => item?.[name] !== undefined : (item) => item?.[name] === undefined;
    }
    const comparison = this.#take();
    return compare(token.replace("#", ""), comparison, this.#take());
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? "";
  }
}

function compare(name: string, comparison: string, value: string): Condition {
  return (item, values) => {
    const left = item?.[name];
    const right = values[value];
    if (left === undefined || typeof left !== typeof right) return false;
    if (comparison === "=") return left === right;
    if (comparison === "<>") return left !== right;
    if (comparison === "<") return (left as number) < (right as number);
    if (comparison === "<=") return (left as number) <= (right as number);
    if (comparison === ">") return (left as number) > (right as number);
    if (comparison === ">=") return (left as number) >= (right as number);
    throw new Error(`the model does not know ${comparison}`);
  };
}
