// The third door, for whoever passes views on while they change: what a server of event streams needs and no application does.
export { viewsConcerned } from "./read/concerned.ts";
export { placeOf } from "./read/generation.ts";
