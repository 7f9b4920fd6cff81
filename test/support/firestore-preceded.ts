import type { Firestore } from "@google-cloud/firestore";

/** The same client, each of whose batches is sent after something, which may hold it up or refuse it. */
export function preceded(client: Firestore, before: () => Promise<void>): Firestore {
  return new Proxy(client, {
    get(target, name) {
      if (name === "batch") {
        return () => {
          const batch = target.batch();
          const commit = () => before().then(() => batch.commit());
          return new Proxy(batch, {
            get: (inner, member) => (member === "commit" ? commit : bound(inner, member)),
          });
        };
      }
      return bound(target, name);
    },
  });
}

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === "function" ? value.bind(target) : value;
}
