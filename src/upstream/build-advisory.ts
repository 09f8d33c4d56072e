import type { Advisory, AdvisoryCollection, AdvisoryReference, Suggestion } from '../rpm/advisory.ts';

/** Notes are for people; what is longer is a mistake. */
export const MOST_NOTES = 64 * 1024;

/** An advisory by the builds it is about; its packages are for the compose to say. */
export interface BuildAdvisory {
  readonly nvrs: readonly string[];
  readonly advisory: Omit<Advisory, 'collections'>;
  readonly collection: Pick<AdvisoryCollection, 'short' | 'name'>;
  /** What people should do once a package of it is installed. */
  readonly suggests: readonly Suggestion[];
}

/** Returns the advisories that hold any of some builds. Throws `upstream.*`. */
export type ListAdvisories = (
  nvrs: readonly string[],
  signal: AbortSignal,
) => Promise<readonly BuildAdvisory[]>;

/** A system that knows which advisories hold a build. */
export interface AdvisorySource {
  /** What people call it. */
  readonly name: string;
  /** The most builds of one question. */
  readonly buildsPerCall: number;
  /** The most questions of one reading. */
  readonly mostCalls: number;
  /** Begins to read: what several questions of one reading have in common is asked once. */
  readonly begin: () => ListAdvisories;
}

/** Returns the CVEs that texts name, sorted. */
export function cvesIn(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => text.match(/\bCVE-\d{4}-\d{4,}\b/g) ?? []))].sort();
}

/** Returns the reference that dnf finds an advisory by with `--cve`. */
export function cveReference(cve: string): AdvisoryReference {
  return { href: `https://www.cve.org/CVERecord?id=${cve}`, id: cve, title: cve, type: 'cve' };
}

/** Returns the reference to a bug of Red Hat's Bugzilla. */
export function bugReference(id: number, title: string): AdvisoryReference {
  return {
    href: `https://bugzilla.redhat.com/show_bug.cgi?id=${id}`,
    id: String(id),
    title,
    type: 'bugzilla',
  };
}
