// The door to reactions (process managers) and deadlines: apart from the main one, so that who needs none does not load them.
export { type Deadline, type DeadlineEvents, REACTOR, ScheduledCommand } from "./react/deadline.ts";
export { Deadlines, type DeadlineView } from "./react/deadlines.ts";
export type { CommandFields, Effect, Effects } from "./react/effect.ts";
export { Reaction, type ReactionSteps } from "./react/reaction.ts";
export type { Cause, ICommandSender, Refusal, Sender } from "./react/sender.ts";
