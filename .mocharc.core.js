import everything from "./.mocharc.js";

// What runs on every store then runs on the embedded ones.
process.env.EVENANT_WITHOUT_EMULATORS = "1";

/** All specs but those that need an emulator. */
export default {
  ...everything,
  // Suites elsewhere that need an emulator are skipped on purpose, in CI too.
  forbidPending: false,
  ignore: ["test/adapters/firestore*.spec.ts", "test/adapters/dynamodb*.spec.ts", "test/rules/**", "test/e2e/**"],
};
