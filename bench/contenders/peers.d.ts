// The peers are installed for the benchmark only, so the type check must not need them.
declare module "@castore/core";
declare module "@castore/event-storage-adapter-dynamodb";
declare module "@castore/event-storage-adapter-in-memory";
declare module "@castore/lib-dam";
declare module "@castore/message-bus-adapter-in-memory";
declare module "@event-driven-io/emmett";
declare module "@event-driven-io/emmett-sqlite";
declare module "@rotorsoft/act";
declare module "@rotorsoft/act-sqlite";
declare module "event-store-adapter-js";
declare module "knex";
declare module "zod";
