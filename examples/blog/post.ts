import * as z from "zod";
import { type Actor, Aggregate, type CommandContext, Err, type EventOf } from "../../core/index.ts";
import { User } from "./user.ts";

const draft = z.object({ title: z.string("give a title").min(1, "give a title"), body: z.string("give a text") });
const nothing = z.object({});

/** The events of a post: name -> payload. */
export type PostEvents = {
  PostCreated: { title: string; body: string; author: string };
  PostArchived: Record<never, never>;
};

/** A post of a blog: written by an existing, enabled user, archived by its author only. */
export class Post extends Aggregate<PostEvents> {
  static readonly path = "/posts";
  static readonly access = {
    CreatePost: "tenant",
    ArchivePost: (actor: Actor, post: Post) => post.author === actor.id,
  } as const;
  static readonly schemas = { CreatePost: draft, ArchivePost: nothing };

  title = "";
  body = "";
  author = "";
  isArchived = false;

  get commands() {
    return {
      CreatePost: async (context: CommandContext<Post, z.infer<typeof draft>>) => {
        if (this.author !== "") throw Err.precondition(`post ${context.aggregateId} exists already`);
        // Verified: were the user disabled while we decide, this command would decide again.
        const author = await context.load(User, context.actor.id);
        if (!author.exists) throw Err.precondition(`user ${context.actor.id} does not exist`);
        if (!author.isEnabled) throw Err.precondition(`user ${context.actor.id} is disabled`);
        context.push("PostCreated", { ...context.payload, author: context.actor.id });
      },
      ArchivePost: (context: CommandContext<Post>) => {
        if (!this.isArchived) context.push("PostArchived");
      },
    };
  }

  get events() {
    return {
      PostCreated: ({ payload }: EventOf<Post, "PostCreated">) => {
        this.title = payload.title;
        this.body = payload.body;
        this.author = payload.author;
      },
      PostArchived: () => {
        this.isArchived = true;
      },
    };
  }
}
