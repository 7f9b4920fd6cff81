import { expect } from "chai";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { startChromium } from "../support/chromium.ts";
import { sendRaw } from "../support/functions-raw-http.ts";
import { Child, temporaryDirectory } from "../support/functions-server.ts";

/** What the service worker expects of a list. */
interface Forecast {
  readonly items: readonly (readonly [string, { readonly text: string; readonly addedBy: string }])[];
  readonly refused: readonly string[];
}

describe("the page of examples/pwa-backend in a browser", function () {
  this.timeout(60_000);
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: Child;
  let url: string;
  let browser: Browser;
  const complaints: string[] = [];

  before(async function () {
    const started = await startChromium();
    if (started === undefined) return this.skip();
    browser = started;
    directory = await temporaryDirectory();
    server = new Child(process.execPath, ["examples/pwa-backend/serve.ts"], { DATA_DIR: directory.path });
    url = (await server.says(/Open (http:\S+)/))[1] as string;
  });
  after(async () => {
    await browser?.close();
    await server?.kill("SIGKILL");
    await directory?.remove();
  });

  /** Opens the page in a profile of its own and signs in. */
  async function enter(user: string): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext();
    const page = await openPage(context);
    await page.click(`button[data-user=${user}]`);
    await page.locator("#state", { hasText: "live" }).waitFor();
    // Who loses the network before the service worker is installed has no page that works offline yet.
    await page.evaluate(async () => {
      const { serviceWorker } = navigator as unknown as { serviceWorker: EventTarget & { controller: unknown } };
      const coming = new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
      const late = new Promise((_, reject) => setTimeout(reject, 20_000, new Error("no service worker controls the page")));
      if (serviceWorker.controller === null) await Promise.race([coming, late]);
    });
    return { context, page };
  }
  async function openPage(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(`pageerror: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(`${message.type()}: ${message.text()}`);
    });
    await page.goto(url);
    return page;
  }
  const shows = (page: Page, text: string) => page.locator("#items li span", { hasText: text }).waitFor();
  const forecastIn = (page: Page, body: string): Promise<Forecast> =>
    page.evaluate(async (sent) => {
      const signal = AbortSignal.timeout(20_000);
      return (await fetch("/local/forecast", { method: "POST", body: sent, signal })).json() as Promise<Forecast>;
    }, body);
  const rows = (page: Page) => page.locator("#items li span").allTextContents();
  async function add(page: Page, text: string): Promise<void> {
    await page.fill("#text", text);
    await page.click("#add button");
  }
  const press = (page: Page, item: string, button: string) =>
    page.locator("#items li", { hasText: item }).getByRole("button", { name: button }).click();

  it("shows a command's effect live in another window of the team, and nothing of it to another team", async () => {
    const ada = await enter("ada");
    const bert = await enter("bert");
    const cleo = await enter("cleo");
    await add(ada.page, "Milk");
    await shows(ada.page, "Milk: 0 of 1");
    await shows(bert.page, "Milk: 0 of 1");
    await press(bert.page, "Milk", "one more");
    await shows(ada.page, "Milk: 0 of 2");
    await add(cleo.page, "Spade");
    await shows(cleo.page, "Spade: 0 of 1");
    expect(await rows(cleo.page)).to.deep.equal(["Spade: 0 of 1"]);
    expect(await rows(ada.page)).to.deep.equal(["Milk: 0 of 2"]);
    const { token } = (await (await fetch(`${url}/sign-in/ada`, { method: "POST" })).json()) as { token: string };
    const text = await (await fetch(`${url}/list.txt`, { headers: { authorization: `Bearer ${token}` } })).text();
    expect(text, "the backend's own route").to.equal("2 × Milk\n");
    await Promise.all([ada, bert, cleo].map(({ context }) => context.close()));
  });

  it("signs nobody in for a page of another site, nor by another name of this machine", async () => {
    const foreign = await fetch(`${url}/sign-in/ada`, { method: "POST", headers: { "sec-fetch-site": "cross-site" } });
    expect(foreign.status).to.equal(403);
    const rebound = await sendRaw(url, "POST /sign-in/ada HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n");
    expect(rebound.status).to.equal(403);
    expect((await fetch(`${url}/sign-in/eve`, { method: "POST" })).status).to.equal(404);
    expect((await fetch(`${url}/list.txt`)).status).to.equal(401);
  });

  it("queues commands without network, shows what they will do, and has each effect once when it is back", async () => {
    const ada = await enter("ada");
    const bert = await enter("bert");
    await shows(ada.page, "Milk: 0 of 2");
    await ada.context.setOffline(true);
    await ada.page.locator("#state", { hasText: "offline" }).waitFor();
    const answer = ada.page.waitForResponse("**/local/forecast");
    await add(ada.page, "Bread");
    await shows(ada.page, "Bread: 0 of 1");
    // That came from the core in the service worker: a command, and the projection of what it stored.
    expect((await answer).fromServiceWorker()).to.equal(true);
    // Asked again in the page: the browser may never hand the body of what a service worker answered to whoever watches.
    const forecast = await forecastIn(ada.page, (await answer).request().postData() ?? "");
    expect(forecast.items.map(([, { text, addedBy }]) => [text, addedBy]).sort()).to.deep.equal([
      ["Bread", "you"],
      ["Milk", "Ada"],
    ]);
    const queued = [{ name: "BuyItem", aggregateId: "none", payload: {} }];
    const refused = await forecastIn(ada.page, JSON.stringify({ items: [], queued }));
    expect(refused).to.deep.equal({ items: [], refused: ["item none is not on the list: add it first"] });
    await press(ada.page, "Bread", "one more");
    await shows(ada.page, "Bread: 0 of 2");
    await press(ada.page, "Milk", "one more");
    await shows(ada.page, "Milk: 0 of 3");
    await press(ada.page, "Bread", "bought");
    await shows(ada.page, "Bread: 1 of 2");
    expect(await ada.page.textContent("#queued")).to.equal("4 waiting to be sent");
    expect(await rows(bert.page), "nothing was sent").to.deep.equal(["Milk: 0 of 2"]);

    // The page works without network, also after a reload, and still knows what waits.
    await ada.page.reload();
    await shows(ada.page, "Bread: 1 of 2");
    const second = await openPage(ada.context);
    await shows(second, "Bread: 1 of 2");

    await ada.context.setOffline(false);
    await shows(bert.page, "Bread: 1 of 2");
    await shows(bert.page, "Milk: 0 of 3");
    for (const page of [ada.page, second]) {
      await page.locator("#queued", { hasText: /^$/ }).waitFor({ state: "attached" });
      await page.locator("#state", { hasText: "live" }).waitFor();
      expect((await rows(page)).sort()).to.deep.equal(["Bread: 1 of 2", "Milk: 0 of 3"]);
    }
    await Promise.all([ada, bert].map(({ context }) => context.close()));
  });

  it("resends a command whose answer was lost, without doing it twice", async () => {
    const ada = await enter("ada");
    let lost = 0;
    await ada.context.route("**/commands/WantOneMore", async (route) => {
      if (lost++ > 0) return route.continue();
      // The server carries it out, and the answer never arrives.
      await route.fetch();
      await route.abort("connectionreset");
    });
    await press(ada.page, "Milk", "one more");
    await shows(ada.page, "Milk: 0 of 4");
    await ada.page.locator("#queued", { hasText: /^$/ }).waitFor({ state: "attached" });
    expect(lost).to.be.least(2);
    await shows(ada.page, "Milk: 0 of 4");
    await ada.context.close();
  });

  it("keeps a command that somebody else answered in the server's place, as the portal of a hotel does, until it is carried out", async () => {
    const ada = await enter("ada");
    let answered = 0;
    await ada.context.route("**/commands/WantOneMore", (route) =>
      answered++ > 0 ? route.continue() : route.fulfill({ contentType: "text/html", body: "<html>Sign in to the WLAN</html>" }),
    );
    await press(ada.page, "Milk", "one more");
    await ada.page.locator("#items li:not(.pending) span", { hasText: "Milk: 0 of 5" }).waitFor();
    expect(answered).to.be.least(2);
    expect(await ada.page.textContent("#notice")).to.equal("");
    await ada.context.close();
  });

  it("keeps the commands of a suspended team, and sends them when it is open again", async () => {
    const ada = await enter("ada");
    const operator = new SqliteEventStore({ path: `${directory.path}/shopping.db` });
    await operator.suspend("kitchen");
    const answer = ada.page.waitForResponse("**/commands/AddItem");
    await add(ada.page, "Salt");
    expect((await answer).status()).to.equal(403);
    // So that it has come to its decision: the command is sent again only after the pause.
    const again = await ada.page.waitForResponse("**/commands/AddItem");
    expect(again.status()).to.equal(403);
    await ada.page.locator("#items li.pending span", { hasText: "Salt" }).waitFor();
    await operator.open("kitchen");
    await operator.close();
    await ada.page.locator("#items li:not(.pending) span", { hasText: "Salt" }).waitFor();
    expect(await ada.page.textContent("#notice")).to.equal("");
    await ada.context.close();
  });

  it("stored each command once, in the order in which each item's were given, and complained of nothing", async () => {
    const store = new SqliteEventStore({ path: `${directory.path}/shopping.db` });
    const { commits } = await store.read("kitchen", 0, 1_000);
    await store.close();
    const keys = commits.map(({ receipt }) => receipt?.commandId);
    expect(new Set(keys).size).to.equal(commits.length);
    const named = (text: string) => {
      const first = commits.find(({ events }) => events[0]?.payload.text === text);
      return commits.filter(({ id }) => id === first?.id).map(({ command }) => command);
    };
    expect(named("Bread")).to.deep.equal(["AddItem", "WantOneMore", "BuyItem"]);
    expect(named("Milk")).to.deep.equal(["AddItem", "WantOneMore", "WantOneMore", "WantOneMore", "WantOneMore"]);
    expect(commits.length).to.equal(9);
    expect(
      complaints.filter((text) => !/ERR_(INTERNET_DISCONNECTED|CONNECTION_RESET|NETWORK_CHANGED)|status of 403/.test(text)),
    ).to.deep.equal([]);
  });
});
