/** What a map holds under a name of its own; names may be those that every object inherits (`constructor`, `toString`). */
export function own<T>(map: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined;
}
