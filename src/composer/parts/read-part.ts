import { closeSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ReactorError, messageOf } from '../../model/errors.ts';
import { isName } from '../../model/names.ts';
import { isSourceArch } from '../../model/nevra.ts';
import { readModuleDocuments, type ModuleDocument } from '../../rpm/modulemd.ts';
import { openRegularFile } from '../../rpm/regular-file.ts';
import { TEMPORARY } from '../../model/compose.ts';
import { carryDocuments } from '../documents/carry-documents.ts';
import type { DocumentType } from '../documents/document-type.ts';
import { modulesDocument } from '../documents/modules-document.ts';
import { treeDirectories } from '../compose-trees.ts';
import { pathBelow, realPathBelow } from '../pen.ts';
import { contentOfPkgid, isSha256 } from '../../model/content-id.ts';
import { sourcePackage } from '../source-package.ts';
import type { ProductmdModules } from '../../rpm/productmd-modules.ts';
import type { Repository } from '../../rpm/repodata/read-repository.ts';
import type { GatherIndex } from '../gather/gather-index.ts';
import { temporaryVariant, type ComposeDocument, type SourcePackage } from '../selection.ts';
import type { RepositoryCache } from '../repositories/repository-cache.ts';

/** A published compose that is a part of another. */
export interface PublishedPart {
  readonly id: number;
  /** Its directory, with `compose/` in it. */
  readonly directory: string;
}

/** A part as far as one arch is concerned. */
export interface PartTree {
  readonly part: PublishedPart;
  readonly binary: readonly SourcePackage[];
  readonly debug: readonly SourcePackage[];
  readonly source: readonly SourcePackage[];
  /** What compose after compose carries on. */
  readonly documents: readonly ComposeDocument[];
  /** Sentences about what could not be carried on. */
  readonly remarks: readonly string[];
  readonly modules: readonly ModuleDocument[];
  /** The repository each package is in. */
  readonly repositories: ReadonlyMap<SourcePackage, Repository>;
}

/** Bytes of one metadata file: all of Fedora has about 150 MB in rpms.json. */
const MOST_BYTES = 256 * 1024 * 1024;

const rpmsSchema = z.object({
  payload: z.object({
    rpms: z.record(
      z.string(),
      z.record(
        z.string(),
        z.record(
          z.string(),
          z.record(z.string(), z.object({ path: z.string(), sigkey: z.string().nullable() })),
        ),
      ),
    ),
  }),
});
const nameOf = (kind: 'variant' | 'arch') => z.string().refine((name) => isName(kind, name));
const moduleSchema = z.record(z.string(), z.unknown());
const modulesSchema = z.object({
  payload: z.object({
    modules: z.record(nameOf('variant'), z.record(nameOf('arch'), z.record(z.string(), moduleSchema))),
  }),
});

/** Signing keys of a part by path below `compose/`. Throws `compose.part_unreadable`. */
export function readSigkeys(part: PublishedPart): ReadonlyMap<string, string | null> {
  const parsed = rpmsSchema.safeParse(readMetadata(part, 'rpms.json'));
  if (!parsed.success) throw unreadable(part, 'rpms.json', parsed.error);
  const { payload } = parsed.data;
  const keys = new Map<string, string | null>();
  for (const arches of Object.values(payload.rpms)) {
    for (const builds of Object.values(arches)) {
      for (const rpms of Object.values(builds)) {
        for (const { path, sigkey } of Object.values(rpms)) keys.set(path, sigkey);
      }
    }
  }
  return keys;
}

/** The modules a part lists in modules.json. Throws `compose.part_unreadable`. */
export function readModulesJson(part: PublishedPart): ProductmdModules {
  const parsed = modulesSchema.safeParse(readMetadata(part, 'modules.json'));
  if (!parsed.success) throw unreadable(part, 'modules.json', parsed.error);
  // Our own file, written from this very type.
  return parsed.data.payload.modules as unknown as ProductmdModules;
}

function readMetadata(part: PublishedPart, name: string): unknown {
  try {
    const { descriptor, stats } = openRegularFile(realPathBelow(part.directory, `compose/metadata/${name}`));
    try {
      if (stats.size > MOST_BYTES) throw new Error(`${name} has ${stats.size} bytes, more than are read`);
      return JSON.parse(readFileSync(descriptor, 'utf8'));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(part, name, error);
  }
}

function unreadable(part: PublishedPart, name: string, cause: unknown): ReactorError {
  return new ReactorError(
    'compose.part_unreadable',
    `Compose ${part.id} cannot be read: ${messageOf(cause)}.`,
    {
      where: pathBelow(part.directory, `compose/metadata/${name}`),
      hint: 'It was removed in the meantime, or damaged; name another compose.',
      cause,
    },
  );
}

/**
 * Reads one arch of a part; empty where the part has not got it. Throws `compose.path_outside` and what reading
 * repositories throws.
 */
export async function readPartTree(
  context: {
    readonly repositories: RepositoryCache;
    readonly documentTypes: readonly DocumentType[];
    readonly signal: AbortSignal;
  },
  part: PublishedPart,
  arch: string,
  sigkeys: ReadonlyMap<string, string | null>,
): Promise<PartTree> {
  const repositories = new Map<SourcePackage, Repository>();
  const read = async (tree: string): Promise<SourcePackage[]> => {
    const directory = pathBelow(part.directory, `compose/${tree}`);
    if (!existsSync(pathBelow(directory, 'repodata/repomd.xml'))) return [];
    const loaded = await context.repositories.load(context.signal, directory, []);
    const [repository] = loaded.repositories;
    if (repository === undefined) return [];
    const packages = listPackages(loaded.index, directory, (href) => sigkeys.get(`${tree}/${href}`));
    for (const rpm of packages) repositories.set(rpm, repository);
    return packages;
  };
  const trees = treeDirectories(temporaryVariant, arch);
  const binary = await read(trees.binary.repository);
  const debug = await read(trees.debug.repository);
  const source = binary.length === 0 ? [] : await read(trees.source.repository);
  const main = binary[0] === undefined ? undefined : repositories.get(binary[0]);
  const { documents, remarks } =
    main === undefined
      ? { documents: [], remarks: [] }
      : await carryDocuments('compose', main, { variant: TEMPORARY, arch }, context.documentTypes);
  const yaml = documents.find(({ type }) => type === modulesDocument.type);
  const modules =
    main === undefined || yaml === undefined
      ? []
      : readModuleDocuments(Buffer.from(yaml.bytes).toString('utf8'), `${main.location} modules`);
  return { part, binary, debug, source, documents, remarks, modules, repositories };
}

function listPackages(
  index: GatherIndex,
  directory: string,
  sigkeyOf: (href: string) => string | null | undefined,
): SourcePackage[] {
  const packages: SourcePackage[] = [];
  for (let id = 0; id < index.count; id += 1) {
    if (!index.isRemoved(id)) packages.push(packageOfPart(index, id, directory, sigkeyOf));
  }
  return packages;
}

/** Returns a package of a tree of a part; `directory` is that of the tree. Throws what `pathBelow` throws. */
export function packageOfPart(
  index: GatherIndex,
  id: number,
  directory: string,
  sigkeyOf: (href: string) => string | null | undefined,
): SourcePackage {
  const nevra = index.nevraOf(id);
  const { href, base } = index.locationOf(id);
  const url = base === undefined ? null : new URL(href, base);
  const pkgid = index.pkgidOf(id);
  return sourcePackage({
    ...nevra,
    sourceRpm: isSourceArch(nevra.arch) ? null : index.sourceRpmOf(id),
    fileName: href.slice(href.lastIndexOf('/') + 1),
    payload: contentOfPkgid(pkgid),
    sigkey: sigkeyOf(href),
    size: index.sizeOf(id),
    origin:
      url === null || url.protocol === 'file:'
        ? { kind: 'file', path: url === null ? pathBelow(directory, href) : fileURLToPath(url) }
        : { kind: 'http', url: url.href, sha256: isSha256(pkgid) ? pkgid : null },
  });
}
