import type { IEventStore } from "../../core/index.ts";

/** Puts own methods before those of a store; everything else goes through to it. */
export function intercepted(store: IEventStore, own: Partial<IEventStore>): IEventStore {
  return new Proxy(store, {
    get(target, name) {
      const source: object = Object.hasOwn(own, name) ? own : target;
      const member: unknown = Reflect.get(source, name, source);
      return typeof member === "function" ? member.bind(source) : member;
    },
  });
}
