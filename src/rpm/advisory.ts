import { KeptWith } from '../kept-with.ts';
import { formatNevra, type Nevra } from '../model/nevra.ts';

/** A package of an advisory. */
export interface AdvisoryPackage extends Nevra {
  /** File name of the RPM. */
  readonly fileName: string;
  /** File name of its source RPM; empty where it is not said. */
  readonly source: string;
  /** What people should do once it is installed. */
  readonly suggests: readonly Suggestion[];
}

/** In the order they are written. */
export const suggestions = ['reboot', 'restart', 'relogin'] as const;
export type Suggestion = (typeof suggestions)[number];

/** The module stream that the packages of a collection belong to. */
export interface AdvisoryModule extends Readonly<
  Record<'name' | 'stream' | 'version' | 'context' | 'arch', string>
> {}

/** Packages of an advisory that are shipped together. */
export interface AdvisoryCollection {
  readonly short: string;
  readonly name: string;
  readonly module: AdvisoryModule | null;
  readonly packages: readonly AdvisoryPackage[];
}

export interface AdvisoryReference {
  readonly href: string;
  /** `CVE-2026-1234`, the number of a bug. */
  readonly id: string;
  readonly title: string;
  /** `cve`, `bugzilla`, `self`, `other`. */
  readonly type: string;
}

/** One `<update>` of updateinfo.xml. Texts are empty where they are not said. */
export interface Advisory {
  /** `FEDORA-2026-0123456789`, `RHSA-2026:1234`. */
  readonly id: string;
  readonly from: string;
  readonly status: string;
  /** `security`, `bugfix`, `enhancement`, `newpackage`. */
  readonly type: string;
  readonly version: string;
  readonly title: string;
  /** As it was written: `2026-11-30 12:00:00`, or seconds since 1970. */
  readonly issued: string;
  readonly updated: string;
  /** `Critical`, `Important`, `Moderate`, `Low`, `None`. */
  readonly severity: string;
  readonly release: string;
  readonly rights: string;
  readonly summary: string;
  readonly description: string;
  readonly solution: string;
  readonly references: readonly AdvisoryReference[];
  readonly collections: readonly AdvisoryCollection[];
}

/** Advisories that nothing is united with, which may be the same from one compose to the next. */
const keptAlone = new KeptWith<Advisory, Advisory>();

/**
 * Returns each advisory once, sorted by id. Of several with one id the texts of the one that was updated last count, and
 * the packages of all: repositories split one advisory among themselves. The order they come in does not matter. The same
 * advisory alone gives the same object.
 */
export function uniteAdvisories(advisories: readonly Advisory[]): readonly Advisory[] {
  const byId = Map.groupBy(advisories, ({ id }) => id);
  return [...byId.values()]
    .map(([first, ...others]) => {
      if (first === undefined) throw new Error('a group has a member');
      return others.length === 0 ? uniteAlone(first) : uniteSame(first, others);
    })
    .sort((left, right) => compareText(left.id, right.id));
}

function uniteAlone(advisory: Advisory): Advisory {
  const kept = keptAlone.get(advisory);
  if (kept !== undefined) return kept;
  const united = { ...advisory, collections: uniteCollections(advisory.collections) };
  keptAlone.set(advisory, united);
  return united;
}

function uniteSame(first: Advisory, others: readonly Advisory[]): Advisory {
  const [newest = first, ...older] = [first, ...others].sort(newestFirst);
  return {
    ...newest,
    collections: uniteCollections([newest, ...older].flatMap((advisory) => advisory.collections)),
  };
}

/** Returns the collections without those that say the same, and each package once in each, sorted. */
function uniteCollections(collections: readonly AdvisoryCollection[]): readonly AdvisoryCollection[] {
  const keyOf = ({ short, name, module }: AdvisoryCollection): string =>
    JSON.stringify([short, name, module]);
  return [...Map.groupBy(collections, keyOf)]
    .sort(([left], [right]) => compareText(left, right))
    .flatMap(([, same]) => {
      const [first] = same;
      const packages = new Map<string, AdvisoryPackage>();
      for (const listed of same.flatMap((each) => each.packages)) {
        const nevra = formatNevra(listed);
        if (!packages.has(nevra)) packages.set(nevra, listed);
      }
      const sorted = [...packages].sort(([left], [right]) => compareText(left, right));
      return first === undefined || sorted.length === 0
        ? []
        : [{ ...first, packages: sorted.map(([, listed]) => listed) }];
    });
}

/** Returns the CVEs an advisory names, sorted: those it refers to as such, and those in the titles of its bugs. */
export function listCves({ title, references }: Pick<Advisory, 'title' | 'references'>): readonly string[] {
  const texts = [title, ...references.flatMap((reference) => [reference.id, reference.title])];
  return [...new Set(texts.flatMap((text) => text.match(CVE) ?? []))].sort(compareText);
}

const CVE = /\bCVE-\d{4}-\d{4,}\b/g;

function newestFirst(left: Advisory, right: Advisory): number {
  const order = timeOf(right) - timeOf(left);
  if (order !== 0) return order;
  // Of equally old ones it must not matter which came first.
  return compareText(JSON.stringify(left), JSON.stringify(right));
}

/** When it was changed last, in milliseconds; 0 where that cannot be told. */
function timeOf({ updated, issued }: Advisory): number {
  return readTime(updated) ?? readTime(issued) ?? 0;
}

function readTime(text: string): number | null {
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  const [, day, time = '00:00:00'] = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?/.exec(text) ?? [];
  const read = day === undefined ? Number.NaN : Date.parse(`${day}T${time}Z`);
  return Number.isNaN(read) ? null : read;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
