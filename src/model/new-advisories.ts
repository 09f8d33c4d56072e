/** What a compose has and the one before it had not. */
export interface NewAdvisories {
  /** Ids, sorted. */
  readonly advisories: readonly string[];
  /** Sorted. */
  readonly cves: readonly string[];
}

/** What is new in a compose of a series, as its announcement tells it. */
export interface AnnouncedAdvisories extends NewAdvisories {
  /** The compose that it is compared with. */
  readonly since: number;
  /** Whether there are more than are named. */
  readonly more: boolean;
}

/** The most ids, and the most CVEs, of one announcement: messages have limits. */
const MOST_ANNOUNCED = 500;

/** Returns what an announcement tells of what is new since a compose. */
export function toAnnounced({ advisories, cves }: NewAdvisories, since: number): AnnouncedAdvisories {
  return {
    since,
    advisories: advisories.slice(0, MOST_ANNOUNCED),
    cves: cves.slice(0, MOST_ANNOUNCED),
    more: advisories.length > MOST_ANNOUNCED || cves.length > MOST_ANNOUNCED,
  };
}
