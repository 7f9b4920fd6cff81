import type { ItemView } from "../shopping.ts";
import type { Forecast, Queued } from "../worker/forecast.ts";

/** Asks the service worker how the list will be once the waiting commands are carried out; undefined where there is none yet, or it was ended. */
export async function forecast(items: ReadonlyMap<string, ItemView>, queued: readonly Queued[]): Promise<Forecast | undefined> {
  if (navigator.serviceWorker.controller === null) return undefined;
  const body = JSON.stringify({ items: [...items], queued });
  const response = await fetch("/local/forecast", { method: "POST", body }).catch(() => undefined);
  return response?.ok ? response.json() : undefined;
}
