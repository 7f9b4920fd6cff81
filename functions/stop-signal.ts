/** A request to stop, from a signal or from inside. */
export interface StopSignal {
  /** Aborts at the request. */
  readonly signal: AbortSignal;
  /** Resolves at the request. */
  readonly stopped: Promise<void>;
  stop(): void;
}

/** npm passes Ctrl-C on to a process that got it from the terminal already, within this time in ms. */
const ECHO = 300;

/** Listens for SIGTERM and SIGINT: the first asks to stop, the second ends the process at once. */
export function stopSignal(): StopSignal {
  const controller = new AbortController();
  const { signal } = controller;
  let interruptedAt = Number.NEGATIVE_INFINITY;
  const onSignal = (name: NodeJS.Signals, number: number) => {
    const isEcho = name === "SIGINT" && performance.now() - interruptedAt < ECHO;
    if (name === "SIGINT" && !isEcho) interruptedAt = performance.now();
    if (isEcho) return;
    if (signal.aborted) process.exit(128 + number);
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
