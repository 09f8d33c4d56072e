import { createHash } from 'node:crypto';
import { ReactorError } from '../../model/errors.ts';
import { isPathBelow } from '../../model/names.ts';
import { algorithmOfType } from '../../rpm/digest-algorithm.ts';
import { listPackages, type ListedPackage } from '../../rpm/repodata/list-packages.ts';
import { openRepository, type Repository } from '../../rpm/repodata/read-repository.ts';
import { PROVENANCE_FILE, readProvenance, type Provenance } from '../provenance.ts';
import { METADATA_KEY_FILE } from '../signing/sign-metadata.ts';
import { verifySignature } from '../signing/verify-signature.ts';
import type { ComposeFiles } from './compose-files.ts';

/** What is wrong with a file of a compose. */
export interface VerifyProblem {
  /** Path below the directory of the compose. */
  readonly path: string;
  readonly kind: 'missing' | 'unsigned' | 'signature' | 'digest' | 'unreadable' | 'not listed';
  /** One sentence, for people. */
  readonly detail: string;
}

export interface VerifyReport {
  readonly location: string;
  readonly fingerprint: string;
  /** Version of the service that made the compose. */
  readonly version: string;
  /** Fingerprint of the key that signed the provenance; null where nothing is signed. */
  readonly signedBy: string | null;
  readonly checked: { readonly repositories: number; readonly packages: number; readonly bytes: number };
  readonly problems: readonly VerifyProblem[];
  /** Whether there were more problems than are listed. */
  readonly hasMore: boolean;
}

export interface VerifyOptions {
  /** The public keys that count; null takes the one that the compose carries. */
  readonly publicKey: Uint8Array | null;
  /** Whether a compose without any signature is fine. */
  readonly isUnsignedFine: boolean;
  /** Whether every package is read and compared. */
  readonly isReadingPackages: boolean;
  readonly signal: AbortSignal;
}

const FILE_LIMIT = 64 * 1024 * 1024;
const KEY_LIMIT = 1024 * 1024;
const MOST_PROBLEMS = 1_000;
const REPOMD = '/repodata/repomd.xml';
const METADATA = 'compose/metadata/';

/**
 * Compares a compose with its provenance and itself: signatures of the provenance and of every `repomd.xml`, the
 * digests of what the provenance names, of the metadata files that each `repomd.xml` names, and of every package that
 * these name. Throws `verify.provenance_missing`, `verify.provenance_unreadable`, `verify.key_missing`, and what reading
 * over HTTP throws.
 */
export async function verifyCompose(files: ComposeFiles, options: VerifyOptions): Promise<VerifyReport> {
  const text = await files.read(PROVENANCE_FILE, FILE_LIMIT);
  if (text === null) {
    throw new ReactorError('verify.provenance_missing', 'The compose has no provenance.', {
      where: `${files.location}/${PROVENANCE_FILE}`,
      hint: 'Is this the directory of a compose? Those of earlier versions have none.',
    });
  }
  const provenance = readProvenance(text.toString('utf8'), `${files.location}/${PROVENANCE_FILE}`);
  const run = new Verification(files, options);
  const signedBy = await run.checkSignature(PROVENANCE_FILE, text);
  await run.checkSubjects(provenance);
  return {
    location: files.location,
    fingerprint: provenance.fingerprint,
    version: provenance.version,
    signedBy,
    checked: run.checked,
    problems: run.problems,
    hasMore: run.hasMore,
  };
}

class Verification {
  readonly #files: ComposeFiles;
  readonly #options: VerifyOptions;
  #publicKey: Uint8Array | null;
  readonly problems: VerifyProblem[] = [];
  readonly checked = { repositories: 0, packages: 0, bytes: 0 };
  hasMore = false;

  constructor(files: ComposeFiles, options: VerifyOptions) {
    this.#files = files;
    this.#options = options;
    this.#publicKey = options.publicKey;
  }

  /** Returns the fingerprint of the key that signed a file, null where it is not signed as it should be. */
  async checkSignature(path: string, content: Buffer): Promise<string | null> {
    const signature = await this.#files.read(`${path}.asc`, KEY_LIMIT);
    if (signature === null) {
      const isFine = this.#options.isUnsignedFine && !(await this.#isSigned());
      if (!isFine) this.#note(path, 'unsigned', 'It is not signed.');
      return null;
    }
    const publicKey = await this.#readKey();
    const { signal } = this.#options;
    const judged = await verifySignature({ content, signature, publicKey, signal });
    switch (judged.kind) {
      case 'good':
        return judged.fingerprints[1] ?? null;
      case 'key_unknown':
        this.#note(path, 'signature', 'It is signed by another key.');
        return null;
      case 'key_expired':
        this.#note(path, 'signature', 'The signature, or the key that made it, has expired.');
        return null;
      case 'key_revoked':
        this.#note(path, 'signature', 'The key that signed it was revoked.');
        return null;
      case 'bad':
      case 'none':
        this.#note(path, 'signature', 'The signature does not fit.');
        return null;
      default:
        return judged satisfies never;
    }
  }

  /** A compose that carries a key is signed as a whole: a signature that is gone was taken away. */
  async #isSigned(): Promise<boolean> {
    return (await this.#files.read(METADATA_KEY_FILE, KEY_LIMIT)) !== null;
  }

  async #readKey(): Promise<Uint8Array> {
    this.#publicKey ??= await this.#files.read(METADATA_KEY_FILE, KEY_LIMIT);
    if (this.#publicKey !== null) return this.#publicKey;
    throw new ReactorError('verify.key_missing', 'The compose is signed but carries no public key.', {
      where: `${this.#files.location}/${METADATA_KEY_FILE}`,
      hint: 'Name the key that counts with --key FILE.',
    });
  }

  async checkSubjects({ subjects }: Provenance): Promise<void> {
    const trees: string[] = [];
    for (const { name, sha256 } of subjects) {
      this.#options.signal.throwIfAborted();
      if (!isPathBelow(name)) {
        this.#note(name.slice(0, 200), 'unreadable', 'The provenance names no file of a compose.');
        continue;
      }
      if (!name.startsWith(METADATA) && !name.endsWith(REPOMD)) {
        await this.#checkImage(name, sha256);
        continue;
      }
      const content = await this.#files.read(name, FILE_LIMIT);
      if (content === null) {
        this.#note(name, 'missing', 'The provenance names it, and it is not there.');
        continue;
      }
      this.checked.bytes += content.length;
      const found = createHash('sha256').update(content).digest('hex');
      if (found !== sha256) this.#note(name, 'digest', `It is ${found}, the provenance says ${sha256}.`);
      if (!name.endsWith(REPOMD)) continue;
      await this.checkSignature(name, content);
      trees.push(name.slice(0, -REPOMD.length));
    }
    for (const tree of trees) await this.#checkTree(tree);
  }

  /** Images are large, and read only where packages are. */
  async #checkImage(name: string, sha256: string): Promise<void> {
    if (!this.#options.isReadingPackages) return;
    try {
      const found = await this.#files.look(name, 'sha256');
      if (found === null) {
        this.#note(name, 'missing', 'The provenance names it, and it is not there.');
        return;
      }
      this.checked.bytes += found.size;
      if (found.digest === sha256) return;
      this.#note(name, 'digest', `It is ${found.digest}, the provenance says ${sha256}.`);
    } catch (error) {
      this.#noteError(name, error);
    }
  }

  /** Compares what repomd.xml names, and the packages these name. */
  async #checkTree(tree: string): Promise<void> {
    const { location, readUrl } = this.#files;
    const { signal } = this.#options;
    const context = readUrl === undefined ? { signal } : { signal, readUrl };
    this.checked.repositories += 1;
    let repository: Repository;
    try {
      repository = await openRepository(context, `${location}/${tree}`);
    } catch (error) {
      this.#noteError(`${tree}${REPOMD}`, error);
      return;
    }
    for (const { type, href, size } of repository.records) {
      if (type === 'primary') continue;
      try {
        const parts = repository.readParts(type);
        while ((await parts.next()).done !== true) signal.throwIfAborted();
        this.checked.bytes += size ?? 0;
      } catch (error) {
        this.#noteError(`${tree}/${href}`, error);
      }
    }
    const listed = new Set<string>();
    try {
      for await (const some of listPackages(repository.readParts('primary'), `${tree} primary`)) {
        for (const listedPackage of some) listed.add(listedPackage.href);
        await this.#checkPackages(tree, some);
      }
      this.checked.bytes += repository.record('primary')?.size ?? 0;
    } catch (error) {
      this.#noteError(`${tree}/${repository.record('primary')?.href ?? 'repodata'}`, error);
      return;
    }
    for (const path of (await this.#files.list(`${tree}/Packages`)) ?? []) {
      if (!listed.has(`Packages/${path}`)) {
        this.#note(`${tree}/Packages/${path}`, 'not listed', 'The repodata does not name it.');
      }
    }
  }

  async #checkPackages(tree: string, packages: readonly ListedPackage[]): Promise<void> {
    const waiting = packages.values();
    const checkSome = async (): Promise<void> => {
      for (const listedPackage of waiting) {
        this.#options.signal.throwIfAborted();
        await this.#checkPackage(tree, listedPackage);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, checkSome));
  }

  async #checkPackage(tree: string, listedPackage: ListedPackage): Promise<void> {
    // What lies elsewhere is not a part of the compose; dnf holds it against the digest that is signed.
    if (listedPackage.base !== null || /^[a-z]+:\/\//i.test(listedPackage.href)) return;
    const path = `${tree}/${listedPackage.href}`;
    const algorithm = algorithmOfType(listedPackage.checksum.type);
    if (!isPathBelow(path) || algorithm === undefined) {
      this.#note(path, 'unreadable', 'The repodata gives it no path or no checksum that is known.');
      return;
    }
    this.checked.packages += 1;
    if (!this.#options.isReadingPackages) return;
    try {
      const found = await this.#files.look(path, algorithm);
      if (found === null) {
        this.#note(path, 'missing', 'The repodata names it, and it is not there.');
        return;
      }
      this.checked.bytes += found.size;
      if (found.digest === listedPackage.checksum.value) return;
      this.#note(path, 'digest', `It is ${found.digest}, the repodata says ${listedPackage.checksum.value}.`);
    } catch (error) {
      this.#noteError(path, error);
    }
  }

  #noteError(path: string, error: unknown): void {
    this.#options.signal.throwIfAborted();
    if (!(error instanceof ReactorError)) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#note(path, 'unreadable', error.message);
      return;
    }
    // A server that is away says nothing about the compose.
    if (error.code === 'verify.unreachable' || error.code === 'repodata.unreachable') throw error;
    const isDigest = error.code.endsWith('_mismatch');
    const isMissing = error.code === 'repodata.file_missing' || error.code === 'repodata.unreadable';
    this.#note(path, isDigest ? 'digest' : isMissing ? 'missing' : 'unreadable', error.message);
  }

  #note(path: string, kind: VerifyProblem['kind'], detail: string): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ path, kind, detail });
    else this.hasMore = true;
  }
}

/** Packages that are read at once. */
const AT_ONCE = 4;
