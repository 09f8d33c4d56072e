import { isWithin, readersOfParts, type Readable, type Readers } from './readers.ts';

/** What decides to whom a new compose is open. */
export interface ReadersInput {
  /** Whom its request names; null where it names nobody. */
  readonly asked: Readers | null;
  /** The readers of the series it continues; null where that is new, open to everybody, or there is none. */
  readonly ofSeries: Readers | null;
  /** The composes it is made of. */
  readonly parts: readonly Readable[];
}

/**
 * Returns who may read a new compose beside its owner, null for everybody: whom its request names, else those of its
 * series; and never anybody who may not read every part.
 */
export function decideReaders({ asked, ofSeries, parts }: ReadersInput): Readers | null {
  const wanted = asked ?? ofSeries;
  const ofParts = readersOfParts(parts);
  if (wanted === null || ofParts === null) return wanted ?? ofParts;
  return {
    users: wanted.users.filter((user) => ofParts.users.includes(user)),
    groups: wanted.groups.filter((group) => ofParts.groups.includes(group)),
  };
}

/** Returns whether all who may read a compose may read these parts too. */
export function mayHold(compose: Readable, parts: readonly Readable[]): boolean {
  const ofParts = readersOfParts(parts);
  return ofParts === null || (compose.readers !== null && isWithin(compose.readers, ofParts));
}
