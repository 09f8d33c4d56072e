import { createHash } from 'node:crypto';
import { ReactorError } from '../../model/errors.ts';
import { formatNevra } from '../../model/nevra.ts';
import { SharedWork } from '../../shared-work.ts';
import {
  FRAGMENTS_LIMIT,
  openFragmentCache,
  type CachedPackage,
  type FragmentCache,
} from '../../cache/fragment-cache.ts';
import type { HeaderFacts } from '../../rpm/header/header-facts.ts';
import type { Cache, CacheSize } from '../../cache/cache-registry.ts';
import type { FileStamp } from '../../model/file-stamp.ts';
import { CopyFactsFile, type CopyFacts } from '../../cache/copy-facts.ts';
import { describePackage, type KojiCopy } from './koji-package-set.ts';
import type { KnownCopies } from './signing.ts';

/** More than the largest tags hold; each takes a few hundred bytes. */
const MOST_OPENED = 200_000;

/** A chosen copy with the key under which its metadata is kept. */
export interface KeyedCopy {
  readonly copy: KojiCopy;
  readonly key: string;
}

/** A copy whose metadata is known. */
export interface IndexedCopy extends KeyedCopy {
  readonly facts: CopyFacts;
}

/**
 * Metadata of the copies of RPMs, read once while they are kept: facts in a small file that is held in memory, repodata
 * and records in the fragment cache. The key is Koji's payload hash and the signing key, so the hub alone tells
 * whether a copy is known. Nothing is read before the first who asks for known copies or indexes some.
 */
export class KojiIndex implements Cache {
  /** What is being read of copies, by what it is. */
  readonly making = new SharedWork<void>();
  /** Copies that are being read one by one, by their keys: two sets may have some in common. */
  readonly reading = new SharedWork<MadeCopy>();
  readonly #directory: string;
  readonly #now: Date;
  #opening: Promise<OpenIndex> | null = null;
  #open: OpenIndex | null = null;
  /** What was opened before, by key: a tag has tens of thousands, asked for again by every compose of it. */
  readonly #opened = new Map<string, CachedPackage>();
  #losses = 0;

  /** Makes the index of a directory of its own. */
  constructor(directory: string, now: Date) {
    this.#directory = directory;
    this.#now = now;
  }

  /** Reads what the directory holds, once; who needs it awaits it. Throws what reading files throws. */
  async open(): Promise<void> {
    this.#opening ??= openIndex(this.#directory, this.#now);
    try {
      this.#open = await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  /** Returns how many copies are known. */
  get size(): number {
    return this.#open?.facts.size ?? 0;
  }

  /** Returns what the index holds now; nothing before it is opened. */
  measure(): readonly CacheSize[] {
    if (this.#open === null) return [];
    const { facts, fragments } = this.#open;
    return [
      { name: 'koji copies', entries: facts.size, bytes: facts.bytes },
      { name: 'koji packages', entries: fragments.size, bytes: fragments.bytes },
      { name: 'koji packages opened', entries: this.#opened.size, bytes: null },
    ];
  }

  async prune(now: Date): Promise<number> {
    if (this.#open === null) return 0;
    const { facts, fragments } = this.#open;
    return fragments.prune(now) + (await facts.prune(now));
  }

  get #facts(): CopyFactsFile {
    return this.#get().facts;
  }

  get #fragments(): FragmentCache {
    return this.#get().fragments;
  }

  #get(): OpenIndex {
    if (this.#open === null) throw new Error('the index of Koji is asked before it is open');
    return this.#open;
  }

  /** What is known of a copy whose metadata are there; undefined where they have to be read. */
  facts(key: string): CopyFacts | undefined {
    const facts = this.#facts.get(key);
    if (facts === undefined || this.#openedOf(key, facts) !== undefined) return facts;
    return this.#fragments.has(fragmentKey(key, facts.pkgid)) ? facts : undefined;
  }

  /** The repodata and the record of a known copy. Throws `koji.index_damaged` where the disk lost it. */
  package({ key, facts }: Pick<IndexedCopy, 'key' | 'facts'>): CachedPackage {
    const opened = this.#openedOf(key, facts);
    if (opened !== undefined) return opened;
    const cached = this.#fragments.get(fragmentKey(key, facts.pkgid));
    if (cached !== undefined) {
      if (this.#opened.size >= MOST_OPENED) this.#opened.clear();
      this.#opened.set(key, cached);
      return cached;
    }
    this.#facts.forget([key]);
    throw indexDamaged(key);
  }

  /** What was opened of a copy, unless its file is another one by now or the cache lost something since. */
  #openedOf(key: string, facts: CopyFacts): CachedPackage | undefined {
    if (this.#fragments.losses !== this.#losses) this.#opened.clear();
    this.#losses = this.#fragments.losses;
    const opened = this.#opened.get(key);
    return opened?.fragments.pkgid === facts.pkgid ? opened : undefined;
  }

  /** Keeps what was read of some copies; fragments reach the disk before the facts that promise them. */
  add(made: readonly MadeCopy[]): void {
    if (made.length === 0) return;
    for (const { key, facts, fragments, record } of made) {
      this.#fragments.put(fragmentKey(key, facts.pkgid), fragments, record);
    }
    this.#fragments.flush();
    this.#facts.add(made.map(({ key, facts }) => [key, facts]));
  }

  /** Forgets copies whose files turned out to be others than when they were read. */
  forget(keys: readonly string[]): void {
    this.#facts.forget(keys);
  }

  /** Takes in how the file of a copy looks after its content was found to be the same. */
  restamp(key: string, stamp: FileStamp): void {
    const facts = this.#facts.get(key);
    if (facts !== undefined) this.#facts.add([[key, { ...facts, stamp }]]);
  }

  /** Returns the signed copies that were read before: nobody needs to look for them. */
  async knownCopies(): Promise<KnownCopies> {
    await this.open();
    return {
      has: (payloadHash, sigkey) => this.#facts.get(keyOfPayload(payloadHash, sigkey)) !== undefined,
      add: () => undefined,
    };
  }

  close(): void {
    this.#open?.fragments.close();
    this.#open = null;
  }
}

interface OpenIndex {
  readonly facts: CopyFactsFile;
  readonly fragments: FragmentCache;
}

async function openIndex(directory: string, now: Date): Promise<OpenIndex> {
  const facts = await CopyFactsFile.open(directory);
  return { facts, fragments: await openFragmentCache(directory, { limit: FRAGMENTS_LIMIT, now }) };
}

/** Returns the error of metadata that were there a moment ago. */
export function indexDamaged(key: string): ReactorError {
  return new ReactorError('koji.index_damaged', 'Metadata of a package was lost from the cache.', {
    where: key,
    fate: 'retry',
    hint: 'It is read again from the package at the next attempt.',
  });
}

/** What was read of one copy. */
export interface MadeCopy {
  readonly key: string;
  readonly facts: CopyFacts;
  readonly fragments: Parameters<FragmentCache['put']>[1];
  readonly record: Parameters<FragmentCache['put']>[2];
}

// Two files may have had one key, one after the other; packs do not say which came last.
function fragmentKey(key: string, pkgid: string): string {
  return `${key}:${pkgid.slice(0, 16)}`;
}

/** The key of a copy of an RPM of a build. */
export function keyOfPayload(payloadHash: string, sigkey: string | null): string {
  return `${payloadHash}:${sigkey ?? ''}`;
}

/** The key of a file that Koji has no payload hash of, such as one of a scratch build. */
export function keyOfFile(path: string, file: { readonly size: number; readonly modified: number }): string {
  const name = createHash('sha256').update(`${path}\n${file.size}\n${file.modified}`).digest('hex');
  return `file:${name}`;
}

/**
 * Compares what a header says with what the hub says of the RPM and returns what is kept of it. Throws
 * `koji.header_differs`, naming RPM and path.
 */
export function factsOf(
  found: HeaderFacts,
  copy: KojiCopy,
  file: Pick<CopyFacts, 'pkgid' | 'size' | 'stamp'> & { readonly where: string },
): CopyFacts {
  const { rpm } = copy.package;
  const wanted = formatNevra({ ...rpm, arch: rpm.arch === 'nosrc' ? 'src' : rpm.arch });
  const got = formatNevra(found.nevra);
  // The epoch of a scratch build's RPM is not in its file name.
  const isSame =
    copy.package.kind === 'scratch' ? withoutEpoch(got) === withoutEpoch(wanted) : got === wanted;
  if (!isSame) throw headerDiffers(file.where, copy, `it is ${got}`);
  if (copy.package.kind === 'build' && copy.package.rpm.payloadHash !== null) {
    const { sigmd5 } = found;
    if (sigmd5 !== null && sigmd5 !== copy.package.rpm.payloadHash) {
      throw headerDiffers(file.where, copy, `its payload hash is ${sigmd5}`);
    }
  }
  const { pkgid, size, stamp } = file;
  const { sigkey, excludeArch, exclusiveArch } = found;
  return { pkgid, size, sigkey, excludeArch, exclusiveArch, stamp };
}

function withoutEpoch(nevra: string): string {
  return nevra.replace(/-\d+:/, '-');
}

function headerDiffers(where: string, copy: KojiCopy, how: string): ReactorError {
  return new ReactorError(
    'koji.header_differs',
    `The file of ${describePackage(copy.package)} is not what the Koji hub lists: ${how}.`,
    { where, hint: 'The file was replaced, or the top directory belongs to another hub.' },
  );
}
