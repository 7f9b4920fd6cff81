/** The bounds of event streams. */
export interface StreamSetting {
  /** How often a stream without news says that it is alive, in ms; default 15,000: less than what proxies wait. */
  readonly heartbeat: number;
  /** How many streams one tenant may hold open in this process; default 100. */
  readonly perTenant: number;
  /** How many streams this process holds open; default 1,000. */
  readonly perProcess: number;
  /** How many bytes wait for a client that reads slowly, beside one event; default 256 KiB. */
  readonly buffer: number;
  /** How long a client whose buffer is full may take to read on before it is cut off, in ms; default 10,000. */
  readonly patience: number;
  /** How long a stream lasts at most, in ms; default 1 hour. It never outlives its token. */
  readonly lifetime: number;
  /** How long clients wait before they come back, in ms, at least; up to as much again is added at random. Default 1,000. */
  readonly retry: number;
}

/** All bounds, with their defaults. */
export function streamSetting(given: Partial<StreamSetting>): StreamSetting {
  return {
    heartbeat: 15_000,
    perTenant: 100,
    perProcess: 1_000,
    buffer: 256 * 1024,
    patience: 10_000,
    lifetime: 3_600_000,
    retry: 1_000,
    ...given,
  };
}
