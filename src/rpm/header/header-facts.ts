import type { Nevra } from '../../model/nevra.ts';
import { type HeaderArchRestrictions, archRestrictionsOf } from './arch-restrictions.ts';
import { digestsOf, nevraOf } from './rpm-facts.ts';
import type { RpmHeader } from './rpm-header.ts';
import { sigkeyOf } from './sigkey.ts';

/** What a header says that is compared with what a hub says of the package. */
export interface HeaderFacts extends HeaderArchRestrictions {
  readonly nevra: Nevra;
  /** MD5 over header and payload, hex, which Koji calls `payloadhash`. */
  readonly sigmd5: string | null;
  /** As `sigkeyOf` returns it. */
  readonly sigkey: string | null;
}

/** Reads the facts out of a header, in plain values that can be handed to another thread. Throws `rpm.*`. */
export function headerFactsOf(header: RpmHeader): HeaderFacts {
  const { sigmd5 } = digestsOf(header);
  return { nevra: nevraOf(header), sigmd5, sigkey: sigkeyOf(header), ...archRestrictionsOf(header) };
}
