import { Actor } from "../../core/index.ts";

/** An actor of a tenant with every role of the examples, unless told otherwise. */
export function actorOf(tenant: string, id = "ada", roles: readonly string[] = ["user", "manager"]): Actor {
  return new Actor({ id, name: `${id} of ${tenant}`.slice(0, 80), tenant, roles });
}
