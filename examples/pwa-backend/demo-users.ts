import { Actor } from "../../core/index.ts";

/** Who may sign in, without a password: development only. A team is a tenant. */
export const demoUsers: readonly Actor[] = [
  new Actor({ id: "ada", name: "Ada", tenant: "kitchen", roles: ["member"] }),
  new Actor({ id: "bert", name: "Bert", tenant: "kitchen", roles: ["member"] }),
  new Actor({ id: "cleo", name: "Cleo", tenant: "garden", roles: ["member"] }),
];
