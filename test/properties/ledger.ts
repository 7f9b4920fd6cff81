import { Aggregate, type CommandContext, type EventOf, Projection, type ProjectionEvents } from "../../core/index.ts";

type DiaryEvents = { Written: { text: string } };

/** A diary, into which one command writes several texts. */
export class Diary extends Aggregate<DiaryEvents> {
  static readonly path = "/diaries";
  static readonly access = { Write: "tenant" } as const;
  static readonly snapshot = false;
  count = 0;
  get commands() {
    return {
      Write: (context: CommandContext<Diary, { texts: readonly string[] }>) => {
        for (const text of context.payload.texts) context.push("Written", { text });
      },
    };
  }
  get events() {
    return {
      Written: (_event: EventOf<Diary, "Written">) => {
        this.count++;
      },
    };
  }
}

/** Keeps every text of a diary in the order in which it came, as often as it came; fails at those that are poison. */
export class Ledger extends Projection<{ readonly texts: readonly string[] }, DiaryEvents> {
  override readonly name = "Ledger";
  readonly collection = "ledger";
  readonly #poison: ReadonlySet<string>;
  constructor(poison: ReadonlySet<string>) {
    super();
    this.#poison = poison;
  }
  get events(): ProjectionEvents<{ readonly texts: readonly string[] }, DiaryEvents> {
    return {
      Written: {
        id: (_event, { id }) => id,
        next: (view, { payload: { text } }) => {
          if (this.#poison.has(text)) throw new TypeError(`${text} is poison`);
          return { texts: [...(view?.texts ?? []), text] };
        },
      },
    };
  }
}
