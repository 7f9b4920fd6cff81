import type { ItemView } from "../shopping.ts";
import { Database, type Session } from "./database.ts";
import { forecast } from "./forecast.ts";
import { LiveList } from "./live-list.ts";
import { Outbox } from "./outbox.ts";

const element = <E extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as E;

async function main(): Promise<void> {
  await navigator.serviceWorker.register("/service-worker.js");
  void beControlled();
  const database = await Database.open();
  const session = await database.session;
  if (session === undefined) await showSignIn(database);
  else await showList(database, session);
}

/** A service worker that is activated while the page still loads may miss it: it is asked to take the page over until it has. */
async function beControlled(): Promise<void> {
  const { serviceWorker } = navigator;
  const { active } = await serviceWorker.ready;
  for (let tries = 0; serviceWorker.controller === null && tries < 20; tries++) {
    active?.postMessage("claim");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function showSignIn(database: Database): Promise<void> {
  element("sign-in").hidden = false;
  element("state").textContent = "signed out";
  const users: { id: string; name: string; team: string }[] = await (await fetch("/demo-users")).json();
  for (const { id, name, team } of users) {
    const button = document.createElement("button");
    button.textContent = `${name} (${team})`;
    button.dataset.user = id;
    button.onclick = async () => {
      const response = await fetch(`/sign-in/${id}`, { method: "POST" });
      await database.signIn(await response.json());
      location.reload();
    };
    element("users").append(button, " ");
  }
}

async function showList(database: Database, session: Session): Promise<void> {
  const over = new AbortController();
  const signOut = async () => {
    over.abort();
    await database.signOut();
    location.reload();
  };
  const signedOut = () => void signOut();
  const changed = () => void render(database, session, list, outbox);
  const list: LiveList = new LiveList(database, session, {
    changed,
    signedOut,
    live: (isLive) => {
      element("state").textContent = isLive ? "live" : "offline";
    },
  });
  const outbox: Outbox = new Outbox(
    database,
    session,
    {
      changed,
      signedOut,
      refused: (_command, detail) => {
        element("notice").textContent = detail;
      },
    },
    over.signal,
  );
  element("list").hidden = false;
  element("who").textContent = `${session.name}, ${session.team}`;
  element("sign-out").onclick = signedOut;
  element("add").onsubmit = (event) => {
    event.preventDefault();
    const text = element<HTMLInputElement>("text");
    void outbox.send("AddItem", crypto.randomUUID(), { text: text.value });
    text.value = "";
  };
  navigator.serviceWorker.addEventListener("controllerchange", changed);
  void outbox.flush();
  await list.follow(over.signal);
}

let renders = 0;

/** Shows the list as it will be: what the server told, with the waiting commands carried out by the same domain in the service worker. */
async function render(database: Database, session: Session, list: LiveList, outbox: Outbox): Promise<void> {
  const turn = ++renders;
  const waiting = (await database.queued(session.id)).map(({ command }) => command);
  const ahead = [...outbox.unseenAt(list.position), ...waiting];
  const expected = ahead.length === 0 ? undefined : await forecast(list.items, ahead);
  // Another change came meanwhile: its rendering is the newer one.
  if (turn !== renders) return;
  const items = new Map(expected?.items ?? list.items);
  const pending = new Set(ahead.map(({ aggregateId }) => aggregateId));
  element("queued").textContent = waiting.length === 0 ? "" : `${waiting.length} waiting to be sent`;
  element("items").replaceChildren(...[...items].map(([id, item]) => row(id, item, pending.has(id), outbox)));
}

function row(id: string, { text, wanted, bought, addedBy }: ItemView, isPending: boolean, outbox: Outbox): HTMLElement {
  const line = document.createElement("li");
  line.dataset.id = id;
  line.className = isPending ? "pending" : "";
  const label = document.createElement("span");
  label.textContent = `${text}: ${bought} of ${wanted}`;
  label.title = `added by ${addedBy}`;
  const moves = [
    ["one more", "WantOneMore"],
    ["bought", "BuyItem"],
    ["remove", "RemoveItem"],
  ] as const;
  const buttons = moves.map(([title, name]) => {
    const button = document.createElement("button");
    button.textContent = title;
    button.onclick = () => void outbox.send(name, id, {});
    return button;
  });
  line.append(label, ...buttons);
  return line;
}

void main();
