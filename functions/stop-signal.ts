/** A request to stop, from a signal or from inside. */
export interface StopSignal {
  /** Aborts at the request. */
  readonly signal: AbortSignal;
  /** Resolves at the request. */
  readonly stopped: Promise<void>;
  stop(): void;
}

/** npm passes on signals that the process got already, as a member of its group (Ctrl-C, `timeout`); within this time, in ms. */
const ECHO = 300;

/** Listens for SIGTERM and SIGINT: the first asks to stop, a second one ends the process at once. */
export function stopSignal(): StopSignal {
  const controller = new AbortController();
  const { signal } = controller;
  let firstAt = Number.POSITIVE_INFINITY;
  const onSignal = (_name: NodeJS.Signals, number: number) => {
    if (performance.now() - firstAt > ECHO) process.exit(128 + number);
    firstAt = Math.min(firstAt, performance.now());
    controller.abort();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return {
    signal,
    stopped: new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
    stop: () => controller.abort(),
  };
}
