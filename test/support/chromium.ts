import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PATHS = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const path = PATHS.find((one) => one !== undefined && existsSync(one));

/**
 * Starts a headless Chromium; undefined where there is none, which is said aloud, and is a failure where CI is set.
 *
 * Without its sandbox, because tests run as root in containers; they load nothing but pages of their own.
 */
export async function startChromium(): Promise<Browser | undefined> {
  if (path === undefined) {
    const missing = "there is no Chromium: install it (apt-get install chromium), or set CHROMIUM_PATH";
    if (process.env.CI) throw new Error(missing);
    console.warn(`      SKIPPED: ${missing}`);
    return undefined;
  }
  return chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-gpu"] });
}
