/** Returns who asked for a compose, as a sentence begins with; nobody is known where callers are not asked who they are. */
export function asker(owner: string): string {
  return owner === 'unknown' ? 'Somebody' : owner;
}
