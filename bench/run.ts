// npm run bench [-- dynamodb | contender or scenario names …]: each of these modules measures, reports and writes its section.
const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  dynamodb: () => import("./dynamodb.ts"),
};

await (benches[process.argv[2] ?? ""] ?? (() => import("./peers.ts")))();
