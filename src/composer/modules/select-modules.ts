import { TEMPORARY, type ComposeRequest } from '../../model/compose.ts';
import { multilibMethodsOf } from '../../model/request-rules.ts';
import { ReactorError } from '../../model/errors.ts';
import { formatNsvc, parseNsvc } from '../../model/nsvc.ts';
import type { ModuleDefaults } from '../../rpm/modulemd.ts';
import { writeModulesYaml } from '../../rpm/modules-yaml.ts';
import { productmdModules } from '../../rpm/productmd-modules.ts';
import { readGitFolder } from '../../upstream/git.ts';
import type { Mbs } from '../../upstream/mbs.ts';
import { documentOf } from '../documents/document-type.ts';
import { modulesDocument } from '../documents/modules-document.ts';
import {
  newSelection,
  type ComposeDocument,
  type SelectContext,
  type Selected,
  type SelectedPackage,
  type SelectedTree,
} from '../selection.ts';
import type { Koji } from '../koji/koji.ts';
import { packageOfBuild } from '../koji/koji-package-set.ts';
import { readSigningWish } from '../koji/signing.ts';
import { offerPackages } from '../koji/koji-selection.ts';
import { resolveEvent } from '../koji/pin.ts';
import { installNotes } from './install-notes.ts';
import { readModuleDefaults } from './module-defaults.ts';
import { loadModulePools, type ModulePool, type PoolContext } from './module-pools.ts';
import { selectModuleRpms, type ModuleRpm, type ModuleTree } from './module-rpms.ts';
import { listUnmet } from './module-warnings.ts';
import type { ModuleResolution } from './resolved-module.ts';
import { loadScratchPools } from './scratch-modules.ts';

/** What the module source works with. */
export interface ModuleResources {
  /** Null where no MBS is configured: modules are then read from Koji tags only. */
  readonly mbs: Mbs | null;
  readonly koji: Koji;
  readonly baseModuleNames: readonly string[];
  /** Git repositories that defaults may be read from. */
  readonly gitAllowedUrls: readonly string[];
}

/** Modules that were found at an event. */
export interface ResolvedModules {
  readonly resolution: ModuleResolution;
  /** `at` in milliseconds. */
  readonly event: { readonly id: number; readonly at: number };
}

/** Returns the event a request names, or the last one. Throws `koji.event_unknown`, `koji.event_in_future`. */
export async function readEvent(
  resources: ModuleResources,
  context: SelectContext,
  request: ComposeRequest,
): Promise<ResolvedModules['event']> {
  return resolveEvent(resources.koji.hub, request.kojiEvent, { signal: context.signal });
}

/** Returns the MBS of this server. Throws `mbs.not_configured`. */
export function mbsOf(resources: ModuleResources): Mbs {
  if (resources.mbs !== null) return resources.mbs;
  throw new ReactorError('mbs.not_configured', 'No Module Build Service is configured on this server.', {
    hint: 'Set mbs_url, or name modular_koji_tags in the request.',
  });
}

/**
 * Selects everything of modules that were resolved and of those a request names itself. Throws what the pools, git and
 * the offer throw, and `module.requirement_missing`, `mbs.not_configured`. Source: module contract 4 and 5.
 */
export async function selectModules(
  resources: ModuleResources,
  context: SelectContext,
  request: ComposeRequest,
  { resolution, event }: ResolvedModules,
): Promise<Selected> {
  const { hub, source } = resources.koji;
  const poolContext: PoolContext = { hub, files: source.files, signal: context.signal };
  const named = (request.modules ?? []).map(parseNsvc);
  const unique = new Map([...resolution.modules, ...named].map((module) => [formatNsvc(module), module]));
  context.progress('read modules', 0, unique.size, 'modules');
  const wanted = { modules: [...unique.values()], arches: request.arches, event };
  const warnings = [...resolution.warnings];
  const pools: ModulePool[] = [...(await loadModulePools(poolContext, wanted))];
  const scratch = request.scratchModules ?? [];
  if (scratch.length > 0 && request.composeType === 'test') {
    const asked = { words: scratch, arches: request.arches, event: event.id };
    pools.push(...(await loadScratchPools({ ...poolContext, mbs: mbsOf(resources) }, asked)));
  } else if (scratch.length > 0) {
    warnings.push(`Scratch modules are left out: the compose is of type ${request.composeType}, not test.`);
  }
  const chosen = selectModuleRpms(pools, request.arches, multilibArches(request));
  checkArches(resolution, chosen.trees, resources.baseModuleNames);
  const defaults = await readDefaults(resources, context, request);
  const rpms = [
    ...new Map(
      chosen.trees.flatMap(rpmsOf).map((moduleRpm) => [moduleRpm.package.rpm.id, moduleRpm.package]),
    ).values(),
  ].map(({ rpm, build }) => packageOfBuild(rpm, build));
  const offered = await offerPackages(resources.koji, context, rpms, readSigningWish(request.sigkeys));
  const byId = new Map(rpms.map(({ rpm }, index) => [rpm.id, offered.packages[index]]));
  const select = (list: readonly ModuleRpm[]): SelectedPackage[] =>
    list.flatMap((moduleRpm) => {
      const ready = byId.get(moduleRpm.package.rpm.id);
      return ready === undefined ? [] : [{ package: ready, why: `module ${moduleRpm.nsvc}` }];
    });
  const sources = [...unique.keys()].sort().join(' ');
  const trees = chosen.trees.map(({ arch, binary, debug, source }): SelectedTree => {
    const kinds = { binary: select(binary), debug: select(debug), source: select(source) };
    return { variant: TEMPORARY, arch, ...kinds };
  });
  const selection = newSelection({
    pins: {
      source: request.sourceType === 'module' ? sources : request.source.join(' '),
      kojiEvent: request.kojiEvent,
    },
    trees,
    documents: chosen.trees.flatMap((tree) => modulesRecord(tree, defaults)),
    modulesJson: productmdModules(
      TEMPORARY,
      new Map(chosen.trees.map(({ arch, modules }) => [arch, modules])),
    ),
    warnings: [...warnings, ...chosen.warnings],
    notes: installNotes(withNamed(resolution, named), chosen.trees),
  });
  return { selection, reader: offered.reader };
}

function rpmsOf(tree: ModuleTree): readonly ModuleRpm[] {
  return [...tree.binary, ...tree.debug, ...tree.source];
}

function multilibArches(request: ComposeRequest): readonly string[] {
  return request.arches.filter((arch) => multilibMethodsOf(request, arch).length > 0);
}

function withNamed(
  resolution: ModuleResolution,
  named: readonly { readonly name: string; readonly stream: string }[],
): ModuleResolution {
  const streams = named.map(({ name, stream }) => `${name}:${stream}`);
  return { ...resolution, requested: [...new Set([...resolution.requested, ...streams])] };
}

function modulesRecord(
  { arch, modules }: ModuleTree,
  defaults: readonly ModuleDefaults[],
): readonly ComposeDocument[] {
  const text = writeModulesYaml([...modules.map(({ stream }) => stream), ...defaults]);
  const tree = { variant: TEMPORARY, arch };
  return text === null ? [] : [documentOf(modulesDocument, tree, Buffer.from(text, 'utf8'))];
}

/** A module that is usable with all modules of the compose must be so on each arch: dnf would refuse it there. */
function checkArches(
  resolution: ModuleResolution,
  trees: readonly ModuleTree[],
  baseModuleNames: readonly string[],
): void {
  const known = new Set(
    listUnmet(resolution.modules, baseModuleNames).map(({ module }) => formatNsvc(module)),
  );
  for (const { arch, modules } of trees) {
    const present = new Set(modules.map(({ stream }) => formatNsvc(stream)));
    const here = resolution.modules.filter((module) => present.has(formatNsvc(module)));
    const broken = listUnmet(here, baseModuleNames).find(({ module }) => !known.has(formatNsvc(module)));
    if (broken === undefined) continue;
    throw new ReactorError(
      'module.requirement_missing',
      `On ${arch} the module ${formatNsvc(broken.module)} requires ${broken.missing}, which has no metadata there.`,
      { hint: `dnf could not install it; leave ${arch} out of the request.` },
    );
  }
}

async function readDefaults(
  resources: ModuleResources,
  context: SelectContext,
  request: ComposeRequest,
): Promise<readonly ModuleDefaults[]> {
  if (request.moduleDefaults === null) return [];
  const { url, commit } = request.moduleDefaults;
  const git = { allowed: resources.gitAllowedUrls, signal: context.signal };
  return readModuleDefaults((await readGitFolder(git, { url, revision: commit, suffix: '.yaml' })).files);
}
