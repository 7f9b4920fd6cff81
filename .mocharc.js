const isCi = Boolean(process.env.CI);

export default {
  spec: ["test/**/*.spec.ts"],
  timeout: 10_000,
  failZero: true,
  forbidOnly: isCi,
  forbidPending: isCi,
};
