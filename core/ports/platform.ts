import { utf8 } from "../model/text.ts";

/** The slice of `AbortSignal` that core uses; every real AbortSignal fits. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What core needs from where it runs; tests pass one whose clock they turn by hand. */
export interface IPlatform {
  /** Whole milliseconds since 1970. */
  now(): number;
  /** Uniform in [0, 1); for jitter only. */
  random(): number;
  /** A new unguessable id of 21 characters of `A-Z a-z 0-9 _ -` (126 bits). */
  newId(): string;
  /** SHA-256 of the text as UTF-8, in hexadecimal. */
  digest(text: string): Promise<string>;
  /** Resolves after `ms` milliseconds, or as soon as the signal aborts; never rejects. */
  sleep(ms: number, signal?: Signal): Promise<void>;
}

// The globals that Node, browsers, workers and edge runtimes share; core is compiled without the types of any of them.
declare const crypto: {
  getRandomValues(array: Uint8Array): Uint8Array;
  subtle: {
    digest(algorithm: "SHA-256", bytes: Uint8Array): Promise<ArrayBuffer>;
  };
};
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };
declare function setTimeout(callback: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;

const ID_LENGTH = 21;
const IDS_A_POOL = 128;
const LETTERS = utf8("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

/** Makes ids by cutting a pool of random letters, because a system call and a joined text for each would cost as much as the rest of a command. */
function idMaker(): () => string {
  const bytes = new Uint8Array(ID_LENGTH * IDS_A_POOL);
  let pool = "";
  let next = 0;
  return () => {
    if (next === pool.length) {
      crypto.getRandomValues(bytes);
      // 64 letters: six of a byte's eight bits choose one, and each is as likely as any other.
      for (let index = 0; index < bytes.length; index++) bytes[index] = LETTERS[(bytes[index] as number) & 63] as number;
      pool = new TextDecoder().decode(bytes);
      next = 0;
    }
    next += ID_LENGTH;
    return pool.slice(next - ID_LENGTH, next);
  };
}

/** The platform of Node, browsers, workers and edge runtimes. */
export const defaultPlatform: IPlatform = Object.freeze({
  now: () => Date.now(),
  random: () => Math.random(),
  newId: idMaker(),
  digest: async (text: string) => {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text)));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  },
  sleep: (ms: number, signal?: Signal) =>
    new Promise<void>((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener("abort", wake, { once: true });
    }),
});
