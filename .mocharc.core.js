import everything from "./.mocharc.js";

/** All specs but those that need an emulator. */
export default {
  ...everything,
  ignore: ["test/adapters/firestore*.spec.ts", "test/adapters/dynamodb*.spec.ts", "test/rules/**"],
};
