import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import { buildCompose } from '../../composer/build/build.ts';
import { PlacingThread } from '../../composer/build/placing-thread.ts';
import { planContext } from '../../composer/composer-context.ts';
import { openMainResources } from '../../composer/main-inputs/open-main-resources.ts';
import { selectDefinition, type SourcedDefinition } from '../../composer/main-inputs/select-definition.ts';
import type { MainDefinition } from '../../composer/main/main-definition.ts';
import { openSources, type OpenableSource } from '../../composer/open-sources.ts';
import { planCompose } from '../../composer/plan.ts';
import type { Selection } from '../../composer/selection.ts';
import { loadConfig, type Config } from '../../config.ts';
import { createLog } from '../../log.ts';
import { parseComposeRequest, requestDefaults } from '../../model/compose-request.ts';
import { BlockCache } from '../../rpm/repodata/block-cache.ts';
import type { CommandContext } from '../command.ts';
import { hostsOf } from './read-pungi-config.ts';
import type { PungiOptions } from './pungi-options.ts';
import { linkPackages, type LinkType } from './link-packages.ts';
import type { RunDirectory } from './run-directory.ts';

/** What a compose is made of, and where. */
export interface PungiCompose extends Pick<
  PungiOptions,
  'kojiEvent' | 'isSupported' | 'parentIds' | 'respinOf'
> {
  readonly sourced: SourcedDefinition;
  readonly directory: RunDirectory;
  /** As the option `link_type` says. */
  readonly linkType: LinkType;
  readonly isSkipped: (phase: string) => boolean;
}

/** The directory, below that of the compose, in which it is built. */
export const BUILDING = '.building';

/**
 * Builds a main compose into `.building` of its directory, without a service: Koji is that of the profile that the
 * definition names, caches lie in the data directory. Returns its selection, with what was guessed among the warnings. Throws what selecting and building throw.
 */
export async function makePungiCompose(
  context: Pick<CommandContext, 'environment' | 'signal'>,
  compose: PungiCompose,
): Promise<Selection> {
  const { sourced, directory, kojiEvent, isSkipped, isSupported, parentIds, respinOf, linkType } = compose;
  const { identity } = directory;
  const config = settingsFor(context.environment, sourced.definition);
  const log = createLog('warn');
  const source: OpenableSource = {
    type: 'definition',
    open: async (resources) => (select, request) =>
      selectDefinition(openMainResources({ ...resources, composes: null }), select, request, sourced),
  };
  using opened = await openSources(config, { clock: systemClock, log, database: null }, [source]);
  await using placing = new PlacingThread();
  const body = {
    source: { type: 'definition', source: 'pungi', ...(kojiEvent === null ? {} : { koji_event: kojiEvent }) },
    compose_type: identity.type,
    ...(identity.label === null ? {} : { label: identity.label }),
  };
  const step = { signal: context.signal, progress: () => undefined };
  const place = { series: null, targetDir: 'default' };
  const request = parseComposeRequest(body, requestDefaults(config));
  const plan = await planCompose(planContext(opened, place, { ...step, log }), request);
  const { selection } = plan;
  const building = join(directory.path, BUILDING);
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building);
  const { release } = selection;
  const guesses = await buildCompose(
    {
      ...step,
      placing,
      output: { delivery: linkType === 'copy' ? 'copy' : 'link', compression: 'gzip' },
      blocks: new BlockCache(),
      localPathOf: opened.localPathOf,
    },
    {
      plan,
      identity: {
        ...identity,
        name: identity.id,
        isSupported,
        parentIds,
        respinOf,
        ...(release === null ? {} : { release }),
      },
      place: { directory: directory.path },
    },
    building,
  );
  if (linkType === 'symlink' || linkType === 'abspath-symlink') {
    linkPackages({ building, final: directory.path, plan, isRelative: linkType === 'symlink' });
  }
  if (isSkipped('createrepo')) removeRepodata(join(building, 'compose'));
  return { ...selection, warnings: [...selection.warnings, ...guesses] };
}

/** The settings of the environment, with the Koji and the hosts of the definition. */
function settingsFor(environment: CommandContext['environment'], definition: MainDefinition): Config {
  const { packages } = definition;
  const own = environment['ODCS_DATA_DIR'] ?? '';
  const cache = environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const dataDir = own === '' ? join(cache, 'odcs-reactor') : own;
  const load = (overrides: Readonly<Record<string, unknown>>): Config =>
    loadConfig({ file: environment['ODCS_REACTOR_CONFIG'], environment, overrides }).config;
  const { repo_hosts: hosts } = load({});
  return load({
    data_dir: dataDir,
    target_dir: join(dataDir, 'downloads'),
    koji_profile: packages.kind === 'koji' ? (packages.profile ?? 'koji') : '',
    // Who runs the command says what it reads.
    repo_roots: ['/'],
    repo_hosts: [...hosts, ...hostsOf(definition)],
  });
}

/** Without the phase createrepo trees have none. */
function removeRepodata(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(directory, entry.name);
    if (entry.name === 'repodata' && existsSync(join(path, 'repomd.xml'))) rmSync(path, { recursive: true });
    else removeRepodata(path);
  }
}
