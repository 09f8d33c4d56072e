import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ReactorError } from '../../model/errors.ts';
import type { PackageFragments, PackageLocation } from '../package-fragments.ts';
import { Scratch } from '../scratch.ts';
import { BlockCache } from './block-cache.ts';
import type { Compression } from './compression.ts';
import { cutBlocks } from './cut-blocks.ts';
import { type ExtraRecord, writeExtraRecord } from './extra-record.ts';
import { keyOfPackages, metadataKinds, piecesOf } from './join-pieces.ts';
import { MetadataFile, type BlockContent } from './metadata-file.ts';
import { publishRepomd, type StagedFile } from './publish-repomd.ts';
import type { RepodataChecksum } from './repodata-checksum.ts';
import type { RepomdRecord } from './repomd-xml.ts';

/** A package of a repository. `fragments` may be made or loaded only when its turn has come. */
export interface RepodataPackage {
  readonly location: PackageLocation;
  readonly fragments: PackageFragments | (() => PackageFragments | Promise<PackageFragments>);
}

export interface RepodataContext {
  /** Shared by all repositories of a process, so that equal blocks are packed once. */
  readonly blocks?: BlockCache;
  readonly signal?: AbortSignal;
  /** Called after every block: packages written so far and in all. */
  readonly progress?: (done: number, total: number) => void;
}

export interface RepodataOptions {
  /** Unix seconds: the timestamp of every record, and the revision where none is given. */
  readonly timestamp: number;
  readonly revision?: string;
  /** `zstd` by default. */
  readonly compression?: Compression;
  /** What its files are called by; `sha256` by default. Packages are called as their fragments call them. */
  readonly checksum?: RepodataChecksum;
  /** Comps, modules, updateinfo, in the order they shall have in repomd.xml. */
  readonly extra?: readonly ExtraRecord[];
}

export interface WrittenRepodata {
  readonly revision: string;
  readonly packages: number;
  readonly records: readonly RepomdRecord[];
  /** SHA-256 of repomd.xml, hex: names the whole repository. */
  readonly repomdChecksum: string;
}

const BLOCKS_PER_TURN = 4;

function compareText(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

/** The order of packages in repodata, that of createrepo_c: by the name of the file, then by its path. */
export function compareLocations(left: PackageLocation, right: PackageLocation): number {
  return compareText(basename(left.href), basename(right.href)) || comparePlaces(left, right);
}

function comparePlaces(left: PackageLocation, right: PackageLocation): number {
  return compareText(left.href, right.href) || compareText(left.base ?? '', right.base ?? '');
}

/** Whether a text holds control characters that XML cannot, not even escaped. */
export function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\0-\x08\x0b\x0c\x0e-\x1f]/.test(text);
}

function checkLocation({ href, base }: PackageLocation): void {
  const leadsOut = href.includes('..') && href.split('/').includes('..');
  if (href === '' || href.startsWith('/') || leadsOut || hasControls(href) || hasControls(base ?? '')) {
    throw new ReactorError(
      'repodata.location_invalid',
      `"${href}" cannot be the location of a package in a repository.`,
      { hint: 'A location is a relative path without "..".' },
    );
  }
}

function sortPackages(packages: readonly RepodataPackage[]): RepodataPackage[] {
  const named = packages.map((item) => ({ item, name: basename(item.location.href) }));
  named.sort(
    (left, right) =>
      compareText(left.name, right.name) || comparePlaces(left.item.location, right.item.location),
  );
  const sorted = named.map(({ item }) => item);
  for (const [index, current] of sorted.entries()) {
    checkLocation(current.location);
    const previous = sorted[index - 1];
    if (previous && comparePlaces(previous.location, current.location) === 0) {
      throw new ReactorError(
        'repodata.location_duplicate',
        `Two packages of the repository have the location "${current.location.href}".`,
      );
    }
  }
  return sorted;
}

/**
 * Writes `primary`, `filelists`, `other`, the extra records and at last `repomd.xml` into `directory`/repodata.
 * The packages stand in the order of their file names; equal input gives equal bytes. Every file is made durable
 * under a temporary name and renamed; readers see the old repository until the new repomd.xml takes its place,
 * and files only the old one named are removed then.
 *
 * Throws `repodata.location_invalid`, `repodata.location_duplicate`, what the fragments throw when they are
 * loaded, and the reason of `signal`; nothing of a failed run stays.
 * Source of the formats: createrepo_c 0.17 and pungi contract 4.8.
 */
export async function writeRepodata(
  context: RepodataContext,
  directory: string,
  packages: readonly RepodataPackage[],
  options: RepodataOptions,
): Promise<WrittenRepodata> {
  const { timestamp, compression = 'zstd', checksum = 'sha256', extra = [] } = options;
  const revision = options.revision ?? String(timestamp);
  const cache = context.blocks ?? new BlockCache({ memory: 0, states: 16 });
  const sorted = sortPackages(packages);
  await setImmediate();
  const repodata = join(directory, 'repodata');
  mkdirSync(repodata, { recursive: true });
  const mark = `.${process.pid}-${randomBytes(6).toString('hex')}`;
  const files = metadataKinds.map((kind) => ({
    kind,
    file: new MetadataFile(cache, { compression, checksum }, repodata, `${mark}-${kind.type}`),
  }));
  const staged: StagedFile[] = [];
  const scratch = new Scratch();
  try {
    for (const { kind, file } of files) {
      const head = kind.head(sorted.length);
      await file.append(`head ${head}`, textBlock(head));
    }
    for (const [index, range] of cutBlocks(sorted.map(({ location }) => location.href)).entries()) {
      context.signal?.throwIfAborted();
      await appendBlock(files, sorted.slice(range.start, range.end), scratch);
      context.progress?.(range.end, sorted.length);
      if (index % BLOCKS_PER_TURN === 0) await setImmediate();
    }
    for (const { kind, file } of files) {
      await file.append(`tail ${kind.tail}`, textBlock(kind.tail));
    }
    const finished = await Promise.allSettled(
      files.map(({ kind, file }) => file.finish(kind.type, `${kind.type}.xml`, timestamp)),
    );
    for (const result of finished) {
      if (result.status === 'rejected') throw result.reason;
      staged.push(result.value);
    }
    for (const record of extra) {
      staged.push(await writeExtraRecord(repodata, record, { timestamp, checksum }, mark));
    }
    context.signal?.throwIfAborted();
    const repomdChecksum = await publishRepomd(repodata, revision, staged, mark);
    return {
      revision,
      packages: sorted.length,
      records: staged.map(({ record }) => record),
      repomdChecksum,
    };
  } finally {
    for (const { file } of files) await file.discard();
    for (const { temporary } of staged) rmSync(temporary, { force: true });
  }
}

async function appendBlock(
  files: readonly { readonly kind: (typeof metadataKinds)[number]; readonly file: MetadataFile }[],
  packages: readonly RepodataPackage[],
  scratch: Scratch,
): Promise<void> {
  const fragments: PackageFragments[] = [];
  for (const { fragments: given } of packages) {
    fragments.push(typeof given === 'function' ? await given() : given);
  }
  const locations = packages.map(({ location }) => location);
  const key = keyOfPackages(fragments, locations);
  scratch.reset();
  let loaded: PackageFragments[] | undefined;
  const areAtHand = fragments.every(({ load }) => load === undefined);
  for (const { kind, file } of files) {
    const parts = (): readonly Uint8Array[] => {
      loaded ??= fragments.map((piece) => piece.load?.(scratch) ?? piece);
      return piecesOf(kind.type, loaded, locations);
    };
    await file.append(`${kind.type} ${key}`, { parts, areAtHand });
  }
}

function textBlock(text: string): BlockContent {
  return { parts: () => [Buffer.from(text)], areAtHand: true };
}
