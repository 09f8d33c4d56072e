import { inTurns, type Turns } from '../../in-turns.ts';
import { ReactorError } from '../../model/errors.ts';
import { querySigkeys } from '../../upstream/koji/hub-builds.ts';
import type { KojiHub } from '../../upstream/koji/hub.ts';
import { rpmPath } from '../../upstream/koji/koji-path.ts';
import type { KojiFiles } from './koji-files.ts';
import { describePackage, type KojiCopy, type KojiPackage } from './koji-package-set.ts';

/** Keys in the order of preference, and whether unsigned packages will do as a last resort. */
export interface SigningWish {
  readonly keys: readonly string[];
  readonly isUnsignedFine: boolean;
}

/** Remembers which signed copies were seen, so that nobody looks twice. A copy in it may have been pruned since. */
export interface KnownCopies {
  has(payloadHash: string, sigkey: string): boolean;
  add(payloadHash: string, sigkey: string): void;
}

/**
 * Reads the sigkeys of a request: none at all, or an empty one anywhere, means that unsigned packages will do,
 * as a last resort. Source: Pungi contract 2.1.1.
 */
export function readSigningWish(sigkeys: readonly string[]): SigningWish {
  const keys = sigkeys.map((key) => key.toLowerCase()).filter((key) => key !== '');
  return { keys: [...new Set(keys)], isUnsignedFine: sigkeys.length === 0 || sigkeys.includes('') };
}

/**
 * Chooses a copy of every RPM: the first key whose signed copy is there wins, RPM by RPM. Only the files are
 * asked, since the hub knows signatures whose copy was never written. What `known` has is not looked for.
 * Throws what the files throw. Source: Pungi contract 2.1.1.
 */
export async function chooseCopies(
  packages: readonly KojiPackage[],
  wish: SigningWish,
  files: KojiFiles,
  known: KnownCopies,
): Promise<readonly KojiCopy[]> {
  const keys = await findKeys(packages, wish.keys, files, known);
  return inTurns(copiesOf(packages, keys, wish));
}

/** Packages whose copies are described before others may have their turn. */
const DESCRIBED_TOGETHER = 512;

/** The copies of packages by the keys that were found, null for those that are not signed as wished. */
function* copiesOf(
  packages: readonly KojiPackage[],
  keys: readonly (string | undefined)[],
  { isUnsignedFine }: SigningWish,
): Turns<readonly KojiCopy[]> {
  const copies: KojiCopy[] = [];
  for (const [at, kojiPackage] of packages.entries()) {
    if (at % DESCRIBED_TOGETHER === 0) yield;
    copies.push(copyOf(kojiPackage, keys[at] ?? null, isUnsignedFine));
  }
  return copies;
}

function copyOf(kojiPackage: KojiPackage, sigkey: string | null, isUnsignedFine: boolean): KojiCopy {
  if (kojiPackage.kind === 'scratch') {
    return {
      package: kojiPackage,
      path: kojiPackage.path,
      sigkey: null,
      isUnsigned: false,
      lastIndexed: null,
    };
  }
  const isUnsigned = sigkey === null && !isUnsignedFine;
  const before = kojiPackage.lastCopy;
  if (before?.sigkey === sigkey && before.isUnsigned === isUnsigned) return before;
  const path = rpmPath(kojiPackage.build, kojiPackage.rpm, sigkey);
  kojiPackage.lastCopy = { package: kojiPackage, path, sigkey, isUnsigned, lastIndexed: null };
  return kojiPackage.lastCopy;
}

async function findKeys(
  packages: readonly KojiPackage[],
  keys: readonly string[],
  files: KojiFiles,
  known: KnownCopies,
): Promise<readonly (string | undefined)[]> {
  if (keys.length === 0) return [];
  const found: (string | undefined)[] = Array.from({ length: packages.length });
  let open = packages.flatMap((built, index) => (built.kind === 'build' ? [{ built, index }] : []));
  for (const key of keys) {
    const looks: typeof open = [];
    for (const entry of open) {
      const hash = entry.built.rpm.payloadHash;
      if (hash !== null && known.has(hash, key)) found[entry.index] = key;
      else looks.push(entry);
    }
    const seen = await files.look(looks.map(({ built }) => rpmPath(built.build, built.rpm, key)));
    open = looks.filter(({ built, index }, at) => {
      if ((seen[at] ?? null) === null) return true;
      found[index] = key;
      if (built.rpm.payloadHash !== null) known.add(built.rpm.payloadHash, key);
      return false;
    });
  }
  return found;
}

/**
 * Returns the copies without unsigned primary ones that only stand in and are absent: then nothing stands in. Throws what
 * the files throw.
 */
export async function dropAbsent(
  files: KojiFiles,
  copies: readonly KojiCopy[],
): Promise<readonly KojiCopy[]> {
  const unsigned = copies.filter((copy) => copy.isUnsigned);
  const looks = await files.look(unsigned.map((copy) => copy.path));
  const absent = new Set(unsigned.filter((_, at) => (looks[at] ?? null) === null));
  return absent.size === 0 ? copies : copies.filter((copy) => !absent.has(copy));
}

/**
 * Refuses unsigned packages that must not be: with `names` (the requested ones, or the names of the binary
 * packages that were gathered) those of these names, with null all. The hub is asked whether they are not signed
 * yet (`koji.not_signed_yet`, worth a retry) or signed without a copy on disk (`koji.signed_copy_missing`).
 * Source: Pungi contract 2.1.1.
 */
export async function requireSigned(
  hub: KojiHub,
  copies: readonly KojiCopy[],
  wish: SigningWish,
  names: ReadonlySet<string> | null = null,
): Promise<void> {
  const refused = copies.filter(
    (copy) => copy.isUnsigned && (names === null || names.has(copy.package.rpm.name)),
  );
  if (refused.length === 0) return;
  const ids = refused.flatMap(({ package: kojiPackage }) =>
    kojiPackage.kind === 'build' ? [kojiPackage.rpm.id] : [],
  );
  const known = await querySigkeys(hub, ids.slice(0, MAX_ASKED));
  const notSigned: string[] = [];
  const notWritten: string[] = [];
  for (const { package: kojiPackage } of refused) {
    const sigkeys = kojiPackage.kind === 'build' ? (known.get(kojiPackage.rpm.id) ?? []) : [];
    const isSigned = wish.keys.some((key) => sigkeys.includes(key));
    (isSigned ? notWritten : notSigned).push(describePackage(kojiPackage));
  }
  throw unsignedPackages(refused, wish, notSigned.sort(), notWritten.sort());
}

const MAX_ASKED = 2000;
const MAX_LISTED = 20;

function unsignedPackages(
  refused: readonly KojiCopy[],
  wish: SigningWish,
  notSigned: readonly string[],
  notWritten: readonly string[],
): ReactorError {
  const nvrs = new Set(
    refused.map(({ package: { rpm } }) => `${rpm.name}-${rpm.version}-${rpm.release}`).sort(),
  );
  const message =
    `RPM(s) not found for sigs: ${pythonTuple(wish.keys)}. Check log for details. Unsigned packages:\n` +
    [...nvrs].join('\n');
  const hints: string[] = [];
  if (notSigned.length > 0) hints.push(`Not signed with these keys yet: ${listing(notSigned)}.`);
  if (notWritten.length > 0) {
    hints.push(
      `Signed, but the signed copy is not on disk: ${listing(notWritten)}. Write it with: koji write-signed-rpm`,
    );
  }
  return new ReactorError(
    notSigned.length > 0 ? 'koji.not_signed_yet' : 'koji.signed_copy_missing',
    message,
    { hint: hints.join(' ') },
  );
}

function listing(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

// The service's clients know the text with Python's way of writing a tuple.
function pythonTuple(keys: readonly string[]): string {
  const quoted = keys.map((key) => `'${key}'`);
  return quoted.length === 1 ? `(${quoted.join('')},)` : `(${quoted.join(', ')})`;
}
