import { Projection, type ProjectionEvents } from "../../core/index.ts";
import type { PostEvents } from "./post.ts";

/** A post as a page shows it. */
export interface PostView {
  readonly title: string;
  readonly body: string;
  readonly author: string;
  /** The author's name when the post was written. */
  readonly authorName: string;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly isArchived: boolean;
}

/** Keeps every post of the blog, by its id. */
export class Posts extends Projection<PostView, PostEvents> {
  readonly collection = "posts";
  override readonly readers = "tenant";

  get events(): ProjectionEvents<PostView, PostEvents> {
    return {
      PostCreated: {
        id: (_event, commit) => commit.id,
        next: (_post, { payload }, { actor, at }) => ({ ...payload, authorName: actor.name, createdAt: at, isArchived: false }),
      },
      PostArchived: {
        id: (_event, commit) => commit.id,
        next: (post) => post && { ...post, isArchived: true },
      },
    };
  }
}
