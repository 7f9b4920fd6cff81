import { Aggregate, type CommandContext, type EventOf, type PositionedCommit, Projection } from "../../core/index.ts";
import type { Composition } from "../../functions/composition.ts";

type NoteEvents = { Noted: { text: string } };

class Note extends Aggregate<NoteEvents> {
  static readonly path = "/notes";
  static readonly access = "tenant";
  static readonly snapshot = false;
  get commands() {
    return { TakeNote: (context: CommandContext<Note, { text: string }>) => context.push("Noted") };
  }
  get events() {
    return { Noted: (_event: EventOf<Note, "Noted">) => {} };
  }
}

/** A view for each note, by id and version. */
class Notes extends Projection<{ text: string }, NoteEvents> {
  readonly collection = "notes";
  override readonly readers = "tenant";
  get events() {
    return {
      Noted: {
        id: (_event: unknown, commit: PositionedCommit) => `${commit.id}-${String(commit.version).padStart(3, "0")}`,
        next: (_view: unknown, { payload }: { payload: { text: string } }) => ({ text: payload.text }),
      },
    };
  }
}

/** A domain whose commits and views are as long as their texts: `TakeNote`. */
export const notes: Composition = { aggregates: [Note], threads: { notes: [new Notes()] } };
