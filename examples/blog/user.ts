import * as z from "zod";
import { Aggregate, type CommandContext, Err, type EventOf } from "../../core/index.ts";

const naming = z.object({ name: z.string("give a name").min(1, "give a name") });
const nothing = z.object({});

/** The events of a user: name -> payload. */
export type UserEvents = {
  UserCreated: { name: string };
  UserDisabled: Record<never, never>;
  UserEnabled: Record<never, never>;
};

/** Somebody who may write posts; the aggregate's id is the id of the actor. */
export class User extends Aggregate<UserEvents> {
  static readonly path = "/users";
  static readonly access = { CreateUser: ["manager"], DisableUser: ["manager"], EnableUser: ["manager"] } as const;
  static readonly schemas = { CreateUser: naming, DisableUser: nothing, EnableUser: nothing };

  name = "";
  isEnabled = false;

  get exists(): boolean {
    return this.name !== "";
  }

  get commands() {
    return {
      CreateUser: (context: CommandContext<User, z.infer<typeof naming>>) => {
        if (this.exists) throw Err.precondition(`user ${context.aggregateId} exists already`);
        context.push("UserCreated");
      },
      DisableUser: (context: CommandContext<User>) => {
        this.#mustExist(context.aggregateId);
        if (this.isEnabled) context.push("UserDisabled");
      },
      EnableUser: (context: CommandContext<User>) => {
        this.#mustExist(context.aggregateId);
        if (!this.isEnabled) context.push("UserEnabled");
      },
    };
  }

  get events() {
    return {
      UserCreated: ({ payload }: EventOf<User, "UserCreated">) => {
        this.name = payload.name;
        this.isEnabled = true;
      },
      UserDisabled: () => {
        this.isEnabled = false;
      },
      UserEnabled: () => {
        this.isEnabled = true;
      },
    };
  }

  #mustExist(id: string): void {
    if (!this.exists) throw Err.precondition(`user ${id} does not exist`);
  }
}
