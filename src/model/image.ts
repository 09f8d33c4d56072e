import { ReactorError } from './errors.ts';
import { compareEvr, type Evr } from './evr.ts';
import { isName } from './names.ts';
import { isSourceArch } from './nevra.ts';

/** The newest version of each package that an image of one arch holds: names to `[epoch:]version-release`. */
export type HeldPackages = Readonly<Record<string, string>>;

/** An image that is built from what a series shows. */
export interface Image {
  readonly name: string;
  /** The series whose composes its packages come from. */
  readonly series: string;
  /** Where it can be had, for people: `quay.io/example/httpd:latest`; null where nobody said. */
  readonly reference: string | null;
  /** By basearch. */
  readonly packages: Readonly<Record<string, HeldPackages>>;
}

/** A version as whoever lists an image's packages wrote it; `rpm -qa` leaves the epoch out. */
export interface HeldVersion extends Omit<Evr, 'epoch'> {
  readonly epoch: string | null;
}

export const mostPackagesOfImage = 20_000;
export const mostArchesOfImage = 20;

const release = '[A-Za-z0-9_.+~^]+';
const held = new RegExp(`^(.+)-(?:(\\d{1,9}):)?(${release})-(${release})$`);

/**
 * Returns the newest version of each package of a list: names of packages as `rpm -qa` prints them, with or without
 * epoch and arch. Sources and keys (`gpg-pubkey`) are left out. Throws `image.package_unreadable`.
 */
export function readHeldPackages(list: readonly string[]): HeldPackages {
  const newest = new Map<string, string>();
  for (const text of list) {
    const held = readHeldPackage(text);
    if (held === null) continue;
    const before = newest.get(held.name);
    if (before === undefined || compareHeld(readVersion(before), readVersion(held.evr)) < 0) {
      newest.set(held.name, held.evr);
    }
  }
  return Object.fromEntries([...newest].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Arches that end a name as rpm prints it; another last part belongs to the release. */
const rpmArches =
  /\.(?:noarch|src|nosrc|x86_64(?:_v[234])?|i[3456]86|aarch64|armv7hl|ppc64le|ppc64|s390x?|riscv64|loongarch64)$/;

function readHeldPackage(text: string): { readonly name: string; readonly evr: string } | null {
  const bare = text.trim();
  const arch = rpmArches.exec(bare)?.[0].slice(1) ?? null;
  const [, name = '', epoch, version, releaseText] =
    held.exec(arch === null ? bare : bare.slice(0, -arch.length - 1)) ?? [];
  if (!isName('package', name)) {
    throw new ReactorError(
      'image.package_unreadable',
      `${JSON.stringify(text.slice(0, 200))} is no package.`,
      {
        hint: 'Write packages as rpm -qa prints them: openssl-libs-1:3.2.1-4.fc42.x86_64, with or without epoch and arch.',
      },
    );
  }
  if (name === 'gpg-pubkey' || (arch !== null && isSourceArch(arch))) return null;
  const prefix = epoch === undefined ? '' : `${epoch}:`;
  return { name, evr: `${prefix}${version}-${releaseText}` };
}

/** Reads a version of a list of held packages. */
export function readVersion(text: string): HeldVersion {
  const colon = text.indexOf(':');
  const dash = text.lastIndexOf('-');
  return {
    epoch: colon < 0 ? null : text.slice(0, colon),
    version: text.slice(colon + 1, dash),
    release: text.slice(dash + 1),
  };
}

/** Orders two versions as rpm does; an epoch that one of them does not say is that of the other. */
export function compareHeld(left: HeldVersion, right: HeldVersion): number {
  const epoch = left.epoch ?? right.epoch ?? '0';
  return compareEvr({ ...left, epoch }, { ...right, epoch: right.epoch ?? epoch });
}
