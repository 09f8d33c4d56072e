import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readRpmFile } from '../rpm/header/read-rpm-header.ts';
import { sigkeyOf } from '../rpm/header/sigkey.ts';
import {
  formatComposeinfo,
  formatDiscinfo,
  formatMediaRepo,
  formatModules,
  formatRepoFile,
  formatTreeinfo,
  type ComposeIdentity,
} from '../rpm/productmd.ts';
import { withModulemdPaths } from '../rpm/productmd-modules.ts';
import { formatRpms, type ListedRpm } from '../rpm/productmd-rpms.ts';
import type { ComposePlan, OutputSettings } from './plan.ts';
import type { Selection, SourcePackage } from './selection.ts';

/** Writes what installers look for in a tree. `arch` is `src` for sources. */
export function writeDotFiles(directory: string, identity: ComposeIdentity, arch: string): void {
  writeFileSync(join(directory, '.treeinfo'), formatTreeinfo(identity, arch));
  writeFileSync(join(directory, '.discinfo'), formatDiscinfo(identity, arch));
  writeFileSync(join(directory, 'media.repo'), formatMediaRepo(identity));
}

/** What the metadata of a compose says. */
export interface MetadataInput {
  readonly plan: ComposePlan;
  readonly identity: ComposeIdentity;
  /** Public URL of the compose's directory. */
  readonly toplevelUrl: string;
  readonly delivery: OutputSettings['delivery'];
  /** Arch to its `modules` record, relative to `compose/`. */
  readonly modulemdPaths: ReadonlyMap<string, string>;
}

/**
 * Writes everything of a compose that is neither package nor repodata below `directory`. Where a selection does not
 * know the sigkeys of its packages, they are read from those placed in it. Source: pungi contract 4.
 */
export function writeMetadata(input: MetadataInput, directory: string): void {
  const { plan, identity, toplevelUrl, modulemdPaths, delivery } = input;
  const root = join(directory, 'compose');
  const { selection } = plan;
  const files: Record<string, string> = {
    'compose/metadata/composeinfo.json': formatComposeinfo(
      identity,
      selection.trees.map((tree) => tree.arch),
    ),
    'compose/metadata/rpms.json': formatRpms(identity, listRpms(plan, root, delivery)),
    'compose/metadata/modules.json': formatModules(
      identity,
      withModulemdPaths(selection.modulesJson, modulemdPaths),
    ),
    'work/global/composeinfo-base.json': formatComposeinfo(identity, null),
    'work/global/fingerprint': `${plan.fingerprint}\n`,
    'logs/global/why.json': formatReasons(plan.selection),
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
        const path = `${directories[category]}/${one.location}`;
        return { package: one, sigkey: sigkeyIn(one, path), path, category };
      }),
    );
    arches.set(tree.arch, rpms);
  }
  return arches;
}

/** Why each package is in, by arch: what people ask of a compose that is larger than they thought. */
function formatReasons({ trees }: Selection): string {
  const arches = trees.map((tree) => {
    const reasons = new Map<string, string>();
    for (const list of [tree.binary, tree.debug, tree.source]) {
      for (const one of list) reasons.set(one.package.fileName, one.why);
    }
    const lines = Array.from(reasons, ([file, why]) => `  ${JSON.stringify(file)}: ${JSON.stringify(why)}`);
    const body = lines.length === 0 ? '' : `\n${lines.join(',\n')}\n `;
    return ` ${JSON.stringify(tree.arch)}: {${body}}`;
  });
  return `{\n${arches.join(',\n')}\n}\n`;
}
