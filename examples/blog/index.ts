export { Post } from "./post.ts";
export { Posts, type PostView } from "./posts.ts";
export { User } from "./user.ts";
