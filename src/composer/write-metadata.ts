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
import { treeDirectories } from './compose-trees.ts';
import { pathBelow, type Pen } from './pen.ts';
import type { PlacingThread } from './placing-thread.ts';
import type { ComposePlan, OutputSettings } from './plan.ts';
import type { Selection } from './selection.ts';

/** Writes what installers look for in a tree, a directory below `compose/`. `arch` is `src` for sources. */
export function writeDotFiles(pen: Pen, tree: string, identity: ComposeIdentity, arch: string): void {
  pen.writeFile(`compose/${tree}/.treeinfo`, formatTreeinfo(identity, arch));
  pen.writeFile(`compose/${tree}/.discinfo`, formatDiscinfo(identity, arch));
  pen.writeFile(`compose/${tree}/media.repo`, formatMediaRepo(identity));
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
  /** Reads the sigkeys of placed RPMs away from the event loop. */
  readonly placing: Pick<PlacingThread, 'readSigkeys'>;
  readonly signal: AbortSignal;
}

/** RPMs whose sigkeys are read between two looks at the signal. */
const KEYS_AT_ONCE = 1_000;

/**
 * Writes everything of a compose that is neither package nor repodata. Where a selection does not
 * know the sigkeys of its packages, they are read from those placed in it. Source: pungi contract 4.
 */
export async function writeMetadata(input: MetadataInput, pen: Pen): Promise<void> {
  const { plan, identity, toplevelUrl, modulemdPaths } = input;
  const rpms = listRpms(plan, await readMissingKeys(input, pen.path('compose')));
  const { selection } = plan;
  const files: Record<string, string> = {
    'compose/metadata/composeinfo.json': formatComposeinfo(
      identity,
      selection.trees.map((tree) => tree.arch),
    ),
    'compose/metadata/rpms.json': formatRpms(identity, rpms),
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
  for (const [path, content] of Object.entries(files)) pen.writeFile(path, content);
}

/** Every package of a plan with its path below `compose/`, arch by arch. */
function* visitRpms(plan: ComposePlan) {
  for (const tree of plan.selection.trees) {
    const directories = treeDirectories(tree.arch);
    for (const category of ['binary', 'debug', 'source'] as const) {
      for (const { package: one } of tree[category]) {
        yield { arch: tree.arch, category, package: one, path: `${directories[category]}/${one.location}` };
      }
    }
  }
}

/** The sigkeys by path of those packages whose source did not know them; what is not placed has none. */
async function readMissingKeys(
  { plan, delivery, placing, signal }: MetadataInput,
  root: string,
): Promise<ReadonlyMap<string, string | null>> {
  const missing = new Set<string>();
  for (const { package: one, path } of visitRpms(plan)) if (one.sigkey === undefined) missing.add(path);
  const keys = new Map<string, string | null>();
  if (delivery === 'reference') return keys;
  const paths = [...missing];
  for (let at = 0; at < paths.length; at += KEYS_AT_ONCE) {
    signal.throwIfAborted();
    const some = paths.slice(at, at + KEYS_AT_ONCE);
    const found = await placing.readSigkeys(some.map((path) => pathBelow(root, path)));
    some.forEach((path, index) => keys.set(path, found[index] ?? null));
  }
  return keys;
}

function listRpms(
  plan: ComposePlan,
  keys: ReadonlyMap<string, string | null>,
): Map<string, readonly ListedRpm[]> {
  const arches = new Map<string, ListedRpm[]>(plan.selection.trees.map(({ arch }) => [arch, []]));
  for (const { arch, category, package: one, path } of visitRpms(plan)) {
    const sigkey = one.sigkey === undefined ? (keys.get(path) ?? null) : one.sigkey;
    arches.get(arch)?.push({ package: one, sigkey, path, category });
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
