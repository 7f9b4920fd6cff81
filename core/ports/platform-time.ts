/** Writes a time (ms since 1970) as RFC 3339 in UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
