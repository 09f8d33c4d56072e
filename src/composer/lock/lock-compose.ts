import { existsSync } from 'node:fs';
import type { LRUCache } from 'lru-cache';
import { ReactorError } from '../../model/errors.ts';
import { formatEvr } from '../../model/evr.ts';
import type { LockRequest, WantedPackage } from '../../model/lock-request.ts';
import { formatNevra, formatNvra, nvrOfSourceRpm } from '../../model/nevra.ts';
import { algorithmOfDigest } from '../../rpm/digest-algorithm.ts';
import type { LockedArch, LockedFile, LockedPackage, LockFile } from '../../rpm/lock-file.ts';
import { readModuleDocuments } from '../../rpm/modulemd.ts';
import type { Repository } from '../../rpm/repodata/read-repository.ts';
import { urlBelow } from '../../rpm/repodata/url-below.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import { treeDirectories } from '../compose-trees.ts';
import { temporaryVariant } from '../selection.ts';
import { completeFiles } from '../gather/complete-files.ts';
import { fileSourcesOf, type LoadedRepositories } from '../gather/load-repositories.ts';
import { pathBelow } from '../pen.ts';
import type { RepositoryCache } from '../repositories/repository-cache.ts';
import { closeOverRequirements, type Closure } from './close-over-requirements.ts';

/** A published compose as a lock file speaks of it. */
export interface LockedCompose {
  readonly id: number;
  /** Its directory, with `compose/` in it. */
  readonly directory: string;
  /** What its URLs begin with, without a final slash. */
  readonly url: string;
  readonly repoid: string;
  readonly arches: readonly string[];
}

export interface LockContext {
  readonly repositories: RepositoryCache;
  /** The NEVRAs of modules by the checksum of the metadata that list them. */
  readonly artifacts: LRUCache<string, ReadonlySet<string>>;
  readonly signal: AbortSignal;
  /** The most packages of a lock file. */
  readonly most?: number;
}

const MOST_LOCKED = 200_000;
const MOST_BROKEN_TOLD = 20;

/**
 * Makes the lock file of a compose, of everything or of the closure of some packages, out of its repodata. Throws
 * `lock.arch_unknown`, `lock.package_unknown`, `lock.requirements_broken`, `lock.empty`, `lock.too_large`,
 * `lock.unreadable` and what reading repositories throws. Source: containers contract 2.
 */
export async function lockCompose(
  context: LockContext,
  compose: LockedCompose,
  request: LockRequest,
): Promise<LockFile> {
  const arches = request.arches.length === 0 ? compose.arches : [...new Set(request.arches)];
  const unknown = arches.filter((arch) => !compose.arches.includes(arch));
  if (unknown.length > 0) {
    throw new ReactorError(
      'lock.arch_unknown',
      `Compose ${compose.id} is not made for ${unknown.join(', ')}.`,
      { hint: `It is made for ${compose.arches.join(', ')}.` },
    );
  }
  const { most = MOST_LOCKED } = context;
  const notes: string[] = [];
  const locked: LockedArch[] = [];
  let count = 0;
  for (const arch of arches) {
    const lockedArch = await lockArch(context, { compose, arch, request }, notes);
    count += lockedArch.packages.length + lockedArch.source.length;
    if (count > most) throw tooLarge(most);
    if (lockedArch.packages.length > 0) locked.push(lockedArch);
  }
  if (locked.length === 0) {
    throw new ReactorError(
      'lock.empty',
      'There is nothing to lock: all of it is installed already, or nothing is there.',
    );
  }
  return { arches: locked, notes };
}

function tooLarge(most: number): ReactorError {
  return new ReactorError('lock.too_large', `The lock file would hold more than ${most} packages.`, {
    hint: 'Name the packages that are to be installed, or fewer arches.',
  });
}

interface ArchInput {
  readonly compose: LockedCompose;
  readonly arch: string;
  readonly request: LockRequest;
}

async function lockArch(context: LockContext, input: ArchInput, notes: string[]): Promise<LockedArch> {
  const { compose, arch, request } = input;
  const trees = treeDirectories(temporaryVariant, arch);
  const binary = await openTree(context, compose, trees.binary.repository, compose.repoid);
  const ids =
    request.packages === null
      ? everyPackage(binary)
      : await closePackages(binary.loaded, { ...input, wanted: request.packages }, notes);
  const { most = MOST_LOCKED } = context;
  if (ids.length > most) throw tooLarge(most);
  const packages = ids.map((id) => lockedPackage(binary, id));
  const source = request.hasSources
    ? await lockSources(context, compose, { tree: trees.source.repository, packages }, notes)
    : [];
  return { arch, packages, source, moduleMetadata: await lockModules(context, binary, ids) };
}

/** One repository of a compose, with where it is served. */
interface LockedTree {
  readonly loaded: LoadedRepositories;
  readonly url: string;
  /** What the URLs of its plainly named files begin with. */
  readonly prefix: string;
  readonly repoid: string;
}

/** What a URL holds as it is, and leads nowhere else. */
const plainHref = /^(?:[A-Za-z0-9_][A-Za-z0-9._~+-]*(?:\/(?!$)|$))+$/;

async function openTree(
  { repositories, signal }: LockContext,
  compose: LockedCompose,
  tree: string,
  repoid: string,
): Promise<LockedTree> {
  const directory = pathBelow(compose.directory, `compose/${tree}`);
  if (!existsSync(pathBelow(directory, 'repodata/repomd.xml'))) {
    throw new ReactorError(
      'lock.unreadable',
      `The repository ${tree} of compose ${compose.id} is not there.`,
      {
        hint: 'It may have been removed in the meantime, or lie on another machine.',
      },
    );
  }
  const url = `${compose.url}/compose/${tree}`;
  return {
    loaded: await repositories.load(signal, directory, []),
    url,
    prefix: addressOf(url, '-').slice(0, -1),
    repoid,
  };
}

function everyPackage({ loaded: { index } }: LockedTree): number[] {
  return Array.from({ length: index.count }, (_none, id) => id).filter((id) => !index.isRemoved(id));
}

async function closePackages(
  loaded: LoadedRepositories,
  { compose, arch, request, wanted }: ArchInput & { readonly wanted: readonly WantedPackage[] },
  notes: string[],
): Promise<readonly number[]> {
  const specs = wanted
    .filter(({ only, not }) => (only === null || only.includes(arch)) && !not.includes(arch))
    .map(({ spec }) => spec);
  const asked = { arch, specs, installed: request.installed, assumed: request.assumed };
  const first = closeOverRequirements(loaded.index, asked);
  let closure: Closure = first;
  if (first.needsFiles) {
    await completeFiles(loaded.index, fileSourcesOf(loaded));
    closure = closeOverRequirements(loaded.index, asked);
  }
  if (closure.missing.length > 0) {
    throw new ReactorError(
      'lock.package_unknown',
      `Compose ${compose.id} has nothing for ${arch} that matches ${closure.missing.slice(0, MOST_BROKEN_TOLD).join(', ')}.`,
      { hint: 'Say with `arches: { only: … }` where a package is wanted that not every arch has.' },
    );
  }
  const sentences = closure.broken.map(
    ({ by, dependency }) => `${arch}: nothing provides ${dependency} needed by ${by}`,
  );
  if (sentences.length > 0 && !request.isBrokenAllowed) {
    const more =
      sentences.length > MOST_BROKEN_TOLD ? `; and ${sentences.length - MOST_BROKEN_TOLD} more` : '';
    throw new ReactorError(
      'lock.requirements_broken',
      `Not all requirements are met: ${sentences.slice(0, MOST_BROKEN_TOLD).join('; ')}${more}.`,
      {
        hint: 'Say what the base image has (`installed`, the output of rpm -qa) or what to take for granted (`assumeProvides`), or allow it (`allowBroken`).',
      },
    );
  }
  notes.push(...sentences);
  return closure.ids;
}

function lockedPackage({ loaded: { index }, url, prefix, repoid }: LockedTree, id: number): LockedPackage {
  const { name, ...evr } = index.nevraOf(id);
  const { href, base } = index.locationOf(id);
  const written = formatEvr(evr);
  return {
    url: base === undefined && plainHref.test(href) ? prefix + href : addressOf(base ?? url, href),
    repoid,
    size: index.sizeOf(id),
    checksum: checksumOf(index.pkgidOf(id)),
    name,
    evr: written.startsWith('0:') ? written.slice(2) : written,
    sourcerpm: index.sourceRpmOf(id),
  };
}

/** The URL of a file below a repository. A plus needs no escape in a path, and other tools write none. */
function addressOf(base: string, href: string): string {
  const url = urlBelow(base, href);
  if (url !== null) return url.replaceAll('%2B', '+');
  throw new ReactorError(
    'lock.unreadable',
    `${JSON.stringify(href.slice(0, 200))} lies where no build can fetch it.`,
    {
      hint: 'With `delivery: reference` the packages have to lie behind http or https.',
    },
  );
}

/** Repodata call a package by the digest of its file. */
function checksumOf(digest: string): string {
  const algorithm = algorithmOfDigest(digest);
  if (algorithm === undefined) {
    throw new ReactorError('lock.unreadable', `"${digest.slice(0, 140)}" is no digest of a package.`);
  }
  return `${algorithm}:${digest.toLowerCase()}`;
}

async function lockSources(
  context: LockContext,
  compose: LockedCompose,
  { tree, packages }: { readonly tree: string; readonly packages: readonly LockedPackage[] },
  notes: string[],
): Promise<LockedPackage[]> {
  const source = await openTree(context, compose, tree, `${compose.repoid}-source`);
  const wanted = new Set(packages.flatMap(({ sourcerpm }) => sourcerpm ?? []));
  const found: LockedPackage[] = [];
  for (const file of [...wanted].sort()) {
    const id = findSource(source, file);
    if (id !== undefined) found.push(lockedPackage(source, id));
    else notes.push(`No sources found for ${file}`);
  }
  return found;
}

/** Returns the source package that lies in a file of this name. */
function findSource({ loaded: { index } }: LockedTree, file: string): number | undefined {
  const nvr = nvrOfSourceRpm(file);
  const key = nvr === null ? -1 : index.strings.find(byteStringOf(nvr));
  if (key < 0) return undefined;
  const { firstSource, nextSource } = index.columns;
  for (let id = firstSource.at(key); id >= 0; id = nextSource.at(id)) {
    if (!index.isRemoved(id) && `${formatNvra(index.nevraOf(id))}.rpm` === file) return id;
  }
  return undefined;
}

/** The module metadata of a repository, where one of these packages is of a module. */
async function lockModules(
  { artifacts: kept }: LockContext,
  { loaded, url, repoid }: LockedTree,
  ids: readonly number[],
): Promise<LockedFile[]> {
  const [repository] = loaded.repositories;
  const record = repository?.record('modules') ?? null;
  if (repository === undefined || record === null) return [];
  const artifacts = kept.get(record.checksum?.value ?? '') ?? (await readArtifacts(repository));
  if (record.checksum !== null) kept.set(record.checksum.value, artifacts);
  if (!ids.some((id) => artifacts.has(formatNevra(loaded.index.nevraOf(id))))) return [];
  if (record.size === null || record.checksum === null) {
    throw new ReactorError('lock.unreadable', 'repomd.xml gives the module metadata no size or no checksum.');
  }
  const algorithm = record.checksum.type === 'sha' ? 'sha1' : record.checksum.type.toLowerCase();
  return [
    {
      url: addressOf(url, record.href),
      repoid,
      size: record.size,
      checksum: `${algorithm}:${record.checksum.value.toLowerCase()}`,
    },
  ];
}

async function readArtifacts(repository: Repository): Promise<ReadonlySet<string>> {
  const yaml = (await repository.readRecord('modules')).toString('utf8');
  const documents = readModuleDocuments(yaml, `${repository.location} modules`);
  return new Set(documents.flatMap((document) => (document.kind === 'stream' ? document.artifacts : [])));
}
