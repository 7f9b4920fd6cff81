import type {
  Aggregate,
  AggregateClass,
  AggregateClasses,
  Commit,
  JsonObject,
  PositionedCommit,
  Projection,
  StoredEvent,
} from "../../core/index.ts";

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The members of an aggregate that are neither functions nor the base class's own. */
type MemberName<A> = {
  [K in Exclude<keyof A & string, keyof Aggregate>]: A[K] extends (...args: never[]) => unknown ? never : K;
}[Exclude<keyof A & string, keyof Aggregate>];

type WritableName<A, Name extends keyof A = MemberName<A>> = {
  [K in Name]: Equals<Pick<A, K>, Mutable<Pick<A, K>>> extends true ? K : never;
}[Name];

/**
 * The state of an aggregate as it is answered: its fields.
 *
 * What is read-only may be a getter, which is not answered, or a read-only field, which is; types cannot tell them apart: so it is optional.
 */
export type StateOf<A> = { readonly [K in WritableName<A>]: A[K] } & {
  readonly [K in Exclude<MemberName<A>, WritableName<A>>]?: A[K];
};

/** The state that a class answers; null is possible where its state need not be JSON, any JSON where the class is not known. */
type StateOfClass<Type> = Type extends AggregateClass
  ? AggregateClass extends Type
    ? JsonObject | null
    :
        | StateOf<InstanceType<Type>>
        | (Type extends { readonly snapshot: infer Policy } ? (false extends Policy ? null : never) : never)
  : never;

/** The state that a command answers. */
export type StateAfter<C extends AggregateClasses, Name extends string> = C[number] extends infer Type
  ? Type extends AggregateClass
    ? Name extends keyof InstanceType<Type>["commands"]
      ? StateOfClass<Type>
      : never
    : never
  : never;

/** The paths of some aggregate classes. */
export type PathOf<C extends AggregateClasses> = C[number]["path"];

/** The classes at a path; those whose path is not known to the types count where no other has it. */
type ClassAt<C extends AggregateClasses, Path extends string> = C[number] extends infer Type
  ? Type extends AggregateClass
    ? Equals<Path, Type["path"]> extends true
      ? Type
      : never
    : never
  : never;

type WideClass<C extends AggregateClasses> = C[number] extends infer Type
  ? Type extends AggregateClass
    ? string extends Type["path"]
      ? Type
      : never
    : never
  : never;

/** The state of the aggregates at a path. */
export type StateAt<C extends AggregateClasses, Path extends string> = StateOfClass<
  [ClassAt<C, Path>] extends [never] ? WideClass<C> : ClassAt<C, Path>
>;

/** The collections of some projections. */
export type CollectionOf<P extends AnyProjections> = [P[number]] extends [never] ? string : P[number]["collection"];

/** The views of a collection; any JSON object where its projection is not known. */
export type ViewOf<P extends AnyProjections, Name extends string> = [P[number]] extends [never]
  ? JsonObject
  : P[number] extends infer One
    ? One extends { readonly collection: Name }
      ? One extends Projection<infer View, infer _Events>
        ? View
        : never
      : never
    : never;

/** Projections, as far as a client's types need them. */
export type AnyProjections = readonly { readonly collection: string }[];

/** The result of a command. */
export interface CommandAnswer<State> {
  readonly aggregateId: string;
  readonly version: number;
  /** Give it to a view as `position` to read this write; null where the store cannot tell it. */
  readonly position: number | null;
  /** Null where nothing was to be stored. */
  readonly commitId: string | null;
  /** An earlier request with the same commandId had carried it out. */
  readonly replayed: boolean;
  readonly events: readonly StoredEvent[];
  readonly state: State;
}

/** An aggregate at one version. */
export interface AggregateAnswer<State> {
  readonly aggregateId: string;
  readonly version: number;
  readonly state: State;
}

/** A commit as it is answered. */
export type CommitAnswer<C extends Commit = Commit> = Omit<C, "tenant" | "receipt">;

/** Commits of one aggregate; `next` is the version to go on after, absent where there is no more. */
export interface CommitPage {
  readonly commits: readonly CommitAnswer[];
  readonly next?: number;
}

/** Commits of the tenant; `next` is the position to go on after. */
export interface LogPage {
  readonly commits: readonly CommitAnswer<PositionedCommit>[];
  readonly next: number;
}

/** One view. */
export interface ViewAnswer<View> {
  readonly id: string;
  readonly value: View;
}

/** Views; `next` is the id to go on after, absent where there is no more. */
export interface ViewPageAnswer<View> {
  readonly views: readonly ViewAnswer<View>[];
  readonly next?: string;
}
