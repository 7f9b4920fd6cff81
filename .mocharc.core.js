import everything from "./.mocharc.js";

/** The specs that need no emulator. */
export default {
  ...everything,
  spec: [
    "test/core/**/*.spec.ts",
    "test/adapters/memory*.spec.ts",
    "test/adapters/sqlite*.spec.ts",
    "test/functions/**/*.spec.ts",
    "test/examples/**/*.spec.ts",
  ],
};
