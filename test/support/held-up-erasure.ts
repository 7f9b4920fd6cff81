import type { IEventStore } from "../../core/index.ts";
import type { gate } from "./gate.ts";

/** An erasure that is held up at one of its requests. */
export interface HeldUp {
  readonly tenant: string;
  /** The store that erases, whose request opens `reached` and goes on when `passed` is open. */
  readonly slow: IEventStore;
  readonly reached: ReturnType<typeof gate>;
  readonly passed: ReturnType<typeof gate>;
}

/**
 * Erases a tenant by a store that is held up, while another erases it too and `revive` begins the name's next life; tells whether it had
 * closed the log before. Where it had not, it may come after whatever else is called meanwhile, and nothing else was.
 */
export async function eraseHeldUp(
  store: IEventStore,
  { tenant, slow, reached, passed }: HeldUp,
  revive: () => Promise<void>,
): Promise<boolean> {
  const erasing = slow.erase(tenant).finally(reached.open);
  await reached.passed;
  const hasClosed = (await store.status(tenant)) === "erased";
  if (hasClosed) {
    await store.erase(tenant);
    await revive();
  }
  passed.open();
  await erasing;
  return hasClosed;
}
