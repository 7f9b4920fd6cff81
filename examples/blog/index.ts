export { Post, type PostEvents } from "./post.ts";
export { Posts, type PostView } from "./posts.ts";
export { User, type UserEvents } from "./user.ts";
