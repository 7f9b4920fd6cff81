import everything from "./.mocharc.js";

/** The deployed functions, from end to end; `npm test` runs them too. */
export default { ...everything, spec: ["test/e2e/**/*.spec.ts"] };
