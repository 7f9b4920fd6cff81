import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { contract } from "../contract/index.ts";

contract("memory", (now) => new MemoryEventStore({ now }));
