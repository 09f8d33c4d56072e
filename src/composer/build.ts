import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ReactorError } from '../model/errors.ts';
import { isSourceArch } from '../model/nevra.ts';
import { readRpmFile } from '../rpm/header/read-rpm-header.ts';
import { sigkeyOf } from '../rpm/header/sigkey.ts';
import type { PackageLocation } from '../rpm/package-fragments.ts';
import {
  formatComposeinfo,
  formatDiscinfo,
  formatMediaRepo,
  formatModules,
  formatRepoFile,
  formatRpms,
  formatTreeinfo,
  type ComposeIdentity,
  type ListedRpm,
} from '../rpm/productmd.ts';
import { withModulemdPaths } from '../rpm/productmd-modules.ts';
import type { BlockCache } from '../rpm/repodata/block-cache.ts';
import type { ExtraRecord } from '../rpm/repodata/extra-record.ts';
import { writeRepodata, type RepodataPackage } from '../rpm/repodata/write-repodata.ts';
import { placePackages, type Placement } from './place-packages.ts';
import type { ComposePlan, OutputSettings } from './plan.ts';
import type { Progress, Selection, SourcePackage } from './selection.ts';

export interface BuildContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly output: OutputSettings;
  readonly blocks: BlockCache;
  readonly localPathOf: (one: SourcePackage, signal: AbortSignal) => Promise<string>;
}

export interface BuildInput {
  readonly plan: ComposePlan;
  readonly identity: ComposeIdentity;
  /** Public URL of the compose's directory. */
  readonly toplevelUrl: string;
}

interface Tree {
  /** Relative to `compose/`. */
  readonly directory: string;
  readonly packages: readonly SourcePackage[];
  /** The arch its dot files name, null where there are none. */
  readonly treeArch: string | null;
  readonly extra: readonly ExtraRecord[];
}

/**
 * Writes the whole compose into `directory`, which nobody sees yet: packages, repodata, metadata, `.repo`,
 * STATUS. Throws what placing and writing throw. Source of the layout: pungi contract 4.
 */
export async function buildCompose(
  context: BuildContext,
  input: BuildInput,
  directory: string,
): Promise<void> {
  const { plan, identity } = input;
  const root = join(directory, 'compose');
  const trees = listTrees(plan);
  if (context.output.delivery !== 'reference') {
    const placements = trees.flatMap((tree) =>
      tree.packages.map((one) => ({ package: one, path: join(tree.directory, packagePath(one)) })),
    );
    await place(context, plan.selection, root, placements);
  }
  const every = [...new Set(trees.flatMap((tree) => tree.packages))];
  context.progress('metadata', 0, every.length, 'packages');
  const loaded = await plan.selection.loadFragments(every, context.signal);
  const fragments = new Map(every.map((one, index) => [one, loaded[index]]));
  const total = trees.reduce((sum, tree) => sum + tree.packages.length, 0);
  const modulemdPaths = new Map<string, string>();
  let written = 0;
  for (const tree of trees) {
    const packages: RepodataPackage[] = [];
    for (const one of tree.packages) {
      const pieces = fragments.get(one);
      if (pieces === undefined) throw new Error(`no metadata was loaded for ${one.fileName}`);
      packages.push({ fragments: pieces, location: locationOf(one, context.output.delivery) });
    }
    mkdirSync(join(root, tree.directory, 'Packages'), { recursive: true });
    const { records } = await writeRepodata(
      {
        blocks: context.blocks,
        signal: context.signal,
        progress: (done) => context.progress('repodata', written + done, total, 'packages'),
      },
      join(root, tree.directory),
      packages,
      { timestamp: identity.timestamp, compression: context.output.compression, extra: tree.extra },
    );
    const modules = records.find(({ type }) => type === 'modules');
    if (modules !== undefined && tree.treeArch !== null) {
      modulemdPaths.set(tree.treeArch, `${tree.directory}/${modules.href}`);
    }
    written += tree.packages.length;
    if (tree.treeArch !== null) writeDotFiles(join(root, tree.directory), identity, tree.treeArch);
  }
  context.progress('metadata', total, total, 'packages');
  writeMetadata(context, { ...input, modulemdPaths }, directory, root);
}

async function place(
  context: BuildContext,
  { noteFile }: Selection,
  root: string,
  placements: readonly Placement[],
): Promise<void> {
  const unique = listUnique(placements);
  await placePackages(
    {
      signal: context.signal,
      localPathOf: context.localPathOf,
      delivery: context.output.delivery === 'copy' ? 'copy' : 'link',
      ...(noteFile === undefined ? {} : { noteFile }),
      progress: (done, total) => context.progress('place', done, total, 'packages'),
    },
    root,
    unique,
  );
}

/** One placement per path. Throws `compose.file_name_taken` where two different files would get one name. */
function listUnique(placements: readonly Placement[]): Placement[] {
  const byPath = new Map<string, Placement>();
  for (const one of placements) {
    const other = byPath.get(one.path)?.package;
    if (other !== undefined && other.payload !== one.package.payload) {
      throw new ReactorError(
        'compose.file_name_taken',
        `Two different packages are called ${one.package.fileName} and would be one file.`,
        {
          where: one.path,
          hint: 'Their repository holds them in different directories; give it one of them.',
        },
      );
    }
    byPath.set(one.path, one);
  }
  return [...byPath.values()];
}

function listTrees({ selection, request }: ComposePlan): Tree[] {
  const sources = new Map<string, SourcePackage>();
  const trees: Tree[] = [];
  for (const tree of selection.trees) {
    for (const { package: one } of tree.source) sources.set(one.fileName, one);
    const modules = selection.modules.get(tree.arch);
    trees.push(
      {
        directory: `Temporary/${tree.arch}/os`,
        packages: tree.binary.map((one) => one.package),
        treeArch: tree.arch,
        extra: [
          ...(selection.comps === null
            ? []
            : [{ type: 'group', name: 'comps.xml', content: selection.comps, compression: 'none' as const }]),
          ...(modules === undefined
            ? []
            : [{ type: 'modules', name: 'modules.yaml', content: modules, compression: 'gzip' as const }]),
        ],
      },
      {
        directory: `Temporary/${tree.arch}/debug/tree`,
        packages: tree.debug.map((one) => one.package),
        treeArch: null,
        extra: [],
      },
    );
  }
  if (request.arches.length > 0) {
    trees.push({
      directory: 'Temporary/source/tree',
      packages: [...sources.values()],
      treeArch: 'src',
      extra: [],
    });
  }
  return trees;
}

/** `Packages/e/ed-1.rpm`. Source: pungi contract 4. */
function packagePath(one: SourcePackage): string {
  return `Packages/${one.fileName.charAt(0).toLowerCase()}/${one.fileName}`;
}

function locationOf(one: SourcePackage, delivery: OutputSettings['delivery']): PackageLocation {
  if (delivery !== 'reference') return { href: packagePath(one) };
  const url = one.origin.kind === 'http' ? one.origin.url : `file://${encodeURI(one.origin.path)}`;
  const slash = url.lastIndexOf('/') + 1;
  return { href: url.slice(slash), base: url.slice(0, slash) };
}

function writeDotFiles(directory: string, identity: ComposeIdentity, arch: string): void {
  writeFileSync(join(directory, '.treeinfo'), formatTreeinfo(identity, arch));
  writeFileSync(join(directory, '.discinfo'), formatDiscinfo(identity, arch));
  writeFileSync(join(directory, 'media.repo'), formatMediaRepo(identity));
}

function writeMetadata(
  context: BuildContext,
  input: BuildInput & { readonly modulemdPaths: ReadonlyMap<string, string> },
  directory: string,
  root: string,
): void {
  const { plan, identity, toplevelUrl, modulemdPaths } = input;
  const { selection } = plan;
  const files: Record<string, string> = {
    'compose/metadata/composeinfo.json': formatComposeinfo(
      identity,
      selection.trees.map((tree) => tree.arch),
    ),
    'compose/metadata/rpms.json': formatRpms(identity, listRpms(plan, root, context.output.delivery)),
    'compose/metadata/modules.json': formatModules(
      identity,
      withModulemdPaths(selection.modulesJson, modulemdPaths),
    ),
    'work/global/composeinfo-base.json': formatComposeinfo(identity, null),
    'work/global/fingerprint': `${plan.fingerprint}\n`,
    'logs/global/why.json': `${JSON.stringify(listReasons(plan), null, 1)}\n`,
    'pungi-stdout.log': `Compose ${identity.name} is finished.\n`,
    'pungi-stderr.log': selection.warnings.map((warning) => `warning: ${warning}\n`).join(''),
    [`compose/Temporary/${identity.name}.repo`]: formatRepoFile(
      identity.name,
      `${toplevelUrl}/compose/Temporary/$basearch/os`,
      [...selection.notes, ...selection.warnings],
    ),
    STATUS: 'FINISHED\n',
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

function listRpms(
  plan: ComposePlan,
  root: string,
  delivery: OutputSettings['delivery'],
): Map<string, readonly ListedRpm[]> {
  const keys = new Map<string, string | null>();
  const sigkeyIn = (one: SourcePackage, path: string): string | null => {
    if (one.sigkey !== undefined) return one.sigkey;
    if (delivery === 'reference') return null;
    const known = keys.get(path);
    if (known !== undefined) return known;
    const key = sigkeyOf(readRpmFile(join(root, path), { pkgid: 'unused' }).header);
    keys.set(path, key);
    return key;
  };
  const arches = new Map<string, readonly ListedRpm[]>();
  for (const tree of plan.selection.trees) {
    const directories = {
      binary: `Temporary/${tree.arch}/os`,
      debug: `Temporary/${tree.arch}/debug/tree`,
      source: 'Temporary/source/tree',
    };
    const rpms = (['binary', 'debug', 'source'] as const).flatMap((category) =>
      tree[category].map(({ package: one }) => {
        const path = `${directories[category]}/${packagePath(one)}`;
        const sourceRpm = isSourceArch(one.arch) ? null : one.sourceRpm;
        const { name, epoch, version, release, arch } = one;
        return {
          name,
          epoch,
          version,
          release,
          arch,
          sourceRpm,
          sigkey: sigkeyIn(one, path),
          path,
          category,
        };
      }),
    );
    arches.set(tree.arch, rpms);
  }
  return arches;
}

/** Why each package is in, by arch: what people ask of a compose that is larger than they thought. */
function listReasons(plan: ComposePlan): Record<string, Record<string, string>> {
  return Object.fromEntries(
    plan.selection.trees.map((tree) => [
      tree.arch,
      Object.fromEntries(
        [...tree.binary, ...tree.debug, ...tree.source].map((one) => [one.package.fileName, one.why]),
      ),
    ]),
  );
}
