import type { PeerTaken } from './figures.ts';

export const CLAIMS = ['large', 'eln'] as const;

/** Main composes of which something is claimed. */
export type Claim = (typeof CLAIMS)[number];

/** What each is called, and what Pungi 4.3.6 took for it where that was recorded. */
export const claimed: Readonly<Record<Claim, { readonly what: string; readonly pungi: PeerTaken }>> = {
  large: {
    what: 'main compose of 20,000 packages, four variants, two arches',
    pungi: { name: 'Pungi', isRecorded: true, cpuMs: 328_000, wallMs: 647_000 },
  },
  eln: {
    what: 'small main compose like those of ELN, five variants, three arches',
    pungi: { name: 'Pungi', isRecorded: true, cpuMs: 41_000, wallMs: 209_000 },
  },
};
