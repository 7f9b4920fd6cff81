/** Work on a key; what it is given beside the key is that of whoever made it begin. */
export type KeyedWork<Given, Result> = (key: string, given: Given) => Promise<Result>;

interface Turns<Result> {
  waiting?: Promise<Result>;
  running: Promise<unknown>;
}

/**
 * Lets at most one work run for a key at a time, and at most one wait for it: whoever comes while one waits shares that one's result.
 *
 * So every caller's work begins after the call, however many calls there are: what happened before the call is seen.
 */
export function coalesced<Given, Result>(work: KeyedWork<Given, Result>): KeyedWork<Given, Result> {
  const turns = new Map<string, Turns<Result>>();
  const begin = (key: string, given: Given): Promise<Result> => {
    const turn: Turns<Result> = turns.get(key) ?? { running: Promise.resolve() };
    turns.set(key, turn);
    const result = work(key, given);
    turn.running = result.then(
      () => leave(key, turn),
      () => leave(key, turn),
    );
    return result;
  };
  const leave = (key: string, turn: Turns<Result>) => {
    if (turn.waiting === undefined) turns.delete(key);
  };
  return (key, given) => {
    const turn = turns.get(key);
    if (turn === undefined) return begin(key, given);
    turn.waiting ??= turn.running.then(() => {
      delete turn.waiting;
      return begin(key, given);
    });
    return turn.waiting;
  };
}
