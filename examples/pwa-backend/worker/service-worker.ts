import { forecastOf } from "./forecast.ts";

declare const self: ServiceWorkerGlobalScope;

/** The page without its data, which is what works without network. */
const SHELL = ["/", "/page.css", "/page.js", "/icon.svg", "/manifest.webmanifest"];
const CACHE = "shell";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)));
  void self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("message", (event) => {
  if (event.data === "claim") event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (origin !== self.location.origin) return;
  if (pathname === "/local/forecast") event.respondWith(answerForecast(event.request));
  // Only the shell: answers of the API are a team's own and never kept.
  else if (event.request.method === "GET" && SHELL.includes(pathname)) event.respondWith(networkFirst(event.request));
});

async function answerForecast(request: Request): Promise<Response> {
  const { items, queued } = await request.json();
  return Response.json(await forecastOf(items, queued));
}

async function networkFirst(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    if (response.ok) await (await caches.open(CACHE)).put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept === undefined) throw error;
    return kept;
  }
}
