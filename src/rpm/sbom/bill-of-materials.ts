import type { ListedPackage } from '../repodata/list-packages.ts';

/** What a bill of materials is about. */
export interface BillSubject {
  /** `odcs-7`. */
  readonly name: string;
  readonly version: string;
  /** Where its files are. */
  readonly url: string;
  /** When it was made. */
  readonly created: Date;
  /** Hex; equal for equal content. */
  readonly fingerprint: string;
  /** Of the service that says so. */
  readonly toolVersion: string;
}

/** A package of a bill. */
export interface BillPackage {
  readonly listed: ListedPackage;
  readonly purl: string;
  readonly fileName: string;
  /** Where it can be fetched; null where that is no address. */
  readonly url: string | null;
  /** `name:stream:version:context` of its module; null outside modules. */
  readonly module: string | null;
}

/** Packages, some at a time; none twice. */
export type BillPackages = AsyncIterable<readonly BillPackage[]>;

/** Returns the text of a bill piece by piece. */
export type WriteBill = (subject: BillSubject, packages: BillPackages) => AsyncGenerator<string>;

/** Returns a URL that a header names, where it is one that people can follow; null otherwise. */
export function homepageOf({ url }: ListedPackage): string | null {
  const parsed = URL.parse(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol) ? parsed.href : null;
}
