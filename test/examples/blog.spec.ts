import { expect } from "chai";
import { type Actor, AuthorizationError, CommandHandler, Err, StreamReader } from "../../core/index.ts";
import { Post, Posts, type PostView, User } from "../../examples/blog/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

const draft = { title: "On order", body: "Nothing is lost." };

onEveryStore("The blog", (stage) => {
  const handlerOf = () => new CommandHandler(stage.store, [User, Post]);

  async function blogOf(...users: string[]) {
    const tenant = stage.newTenant();
    const handler = handlerOf();
    const manager = actorOf(tenant, "manager");
    for (const id of users) await handler.command(manager, "CreateUser", { name: `${id}'s name`, aggregateId: id });
    const [author, other] = ["ada", "bob"].map((id) => actorOf(tenant, id, [])) as [Actor, Actor];
    return { tenant, handler, manager, author, other };
  }

  it("creates, disables and enables users; a repeated step changes nothing", async () => {
    const { handler, manager } = await blogOf("ada");
    const to = { aggregateId: "ada" };
    expect((await handler.command(manager, "DisableUser", to)).aggregate.isEnabled).to.equal(false);
    const again = await handler.command(manager, "DisableUser", to);
    expect(again.events).to.deep.equal([]);
    expect(again.aggregate.aggregateVersion).to.equal(1);
    const { aggregate } = await handler.command(manager, "EnableUser", to);
    expect([aggregate.name, aggregate.isEnabled, aggregate.aggregateVersion]).to.deep.equal(["ada's name", true, 2]);
  });

  it("refuses a user that exists, or does not, with what is wrong", async () => {
    const { handler, manager } = await blogOf("ada");
    const twice = await rejects(Err, handler.command(manager, "CreateUser", { name: "Ada", aggregateId: "ada" }));
    expect([twice.code, twice.message]).to.deep.equal(["precondition", "user ada exists already"]);
    const unknown = await rejects(Err, handler.command(manager, "DisableUser", { aggregateId: "bob" }));
    expect([unknown.code, unknown.message]).to.deep.equal(["precondition", "user bob does not exist"]);
  });

  it("lets managers only create users", async () => {
    const { handler, author } = await blogOf();
    const error = await rejects(AuthorizationError, handler.command(author, "CreateUser", { name: "Ada", aggregateId: "ada" }));
    expect([error.code, error.actorId, error.command]).to.deep.equal(["authorization", "ada", "CreateUser"]);
  });

  it("takes a post of an existing, enabled user", async () => {
    const { handler, author } = await blogOf("ada");
    const { aggregate } = await handler.command(author, "CreatePost", { ...draft, aggregateId: "post" });
    expect([aggregate.title, aggregate.author, aggregate.isArchived]).to.deep.equal(["On order", "ada", false]);
  });

  it("refuses a post of a user that does not exist, or is disabled", async () => {
    const { handler, manager, author, other } = await blogOf("ada");
    await handler.command(manager, "DisableUser", { aggregateId: "ada" });
    const disabled = await rejects(Err, handler.command(author, "CreatePost", { ...draft, aggregateId: "post" }));
    expect([disabled.code, disabled.message]).to.deep.equal(["precondition", "user ada is disabled"]);
    const absent = await rejects(Err, handler.command(other, "CreatePost", { ...draft, aggregateId: "post" }));
    expect([absent.code, absent.message]).to.deep.equal(["precondition", "user bob does not exist"]);
    expect(await handler.load(author, Post, "post")).to.equal(undefined);
    await handler.command(manager, "EnableUser", { aggregateId: "ada" });
    expect((await handler.command(author, "CreatePost", { ...draft, aggregateId: "post" })).aggregate.aggregateVersion).to.equal(
      0,
    );
  });

  it("refuses a post although its user was enabled when the handler last looked", async () => {
    const { handler, manager, author } = await blogOf("ada");
    const warm = handlerOf();
    await warm.command(author, "CreatePost", { ...draft, aggregateId: "first" });
    await handler.command(manager, "DisableUser", { aggregateId: "ada" });
    const error = await rejects(Err, warm.command(author, "CreatePost", { ...draft, aggregateId: "second" }));
    expect([error.code, error.message]).to.deep.equal(["precondition", "user ada is disabled"]);
    expect(await handler.load(author, Post, "second")).to.equal(undefined);
  });

  it("lets the author only archive a post", async () => {
    const { handler, author, other, manager } = await blogOf("ada", "bob");
    await handler.command(author, "CreatePost", { ...draft, aggregateId: "post" });
    for (const actor of [other, manager]) {
      const error = await rejects(AuthorizationError, handler.command(actor, "ArchivePost", { aggregateId: "post" }));
      expect([error.actorId, error.command]).to.deep.equal([actor.id, "ArchivePost"]);
    }
    expect((await handler.command(author, "ArchivePost", { aggregateId: "post" })).aggregate.isArchived).to.equal(true);
  });

  it("archives a post once, however often it is asked", async () => {
    const { handler, author } = await blogOf("ada");
    await handler.command(author, "CreatePost", { ...draft, aggregateId: "post" });
    for (const by of [handler, handler, handlerOf()]) {
      const context = await by.command(author, "ArchivePost", { aggregateId: "post" });
      expect([context.aggregate.isArchived, context.aggregate.aggregateVersion]).to.deep.equal([true, 1]);
    }
    const names = (await handler.history(author, Post, "post")).flatMap(({ events }) => events.map(({ name }) => name));
    expect(names).to.deep.equal(["PostCreated", "PostArchived"]);
  });

  it("keeps a read model of its posts", async () => {
    const { tenant, handler, author } = await blogOf("ada");
    const reader = new StreamReader(stage.store);
    const posts = new Posts();
    await handler.command(author, "CreatePost", { ...draft, aggregateId: "one" });
    await handler.command(author, "CreatePost", { title: "On time", body: "", aggregateId: "two" });
    await pollUntilIdle(reader, tenant, "views", [posts]);
    const before = await reader.views<PostView>(tenant, posts).get("one");
    expect(before).to.include({ ...draft, author: "ada", authorName: author.name, isArchived: false });
    await handler.command(author, "ArchivePost", { aggregateId: "one" });
    await pollUntilIdle(reader, tenant, "views", [posts]);
    const { views } = await reader.views<PostView>(tenant, posts).list();
    const shown = Object.fromEntries(views.map(({ id, value }) => [id, [value.title, value.isArchived]]));
    expect(shown).to.deep.equal({ one: ["On order", true], two: ["On time", false] });
  });
});
