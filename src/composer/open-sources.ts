import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { SourceType } from '../model/compose.ts';
import { repositoryPolicy } from '../upstream/http/fetch-policy.ts';
import { parseHostList } from '../upstream/http/host-list.ts';
import { HttpClient } from '../upstream/http/http-client.ts';
import { repositoryReader } from '../upstream/read-repository-url.ts';
import { documentTypes } from './documents/document-types.ts';
import { openOriginFetcher } from './fetch-origin.ts';
import { openModules } from './modules/open-modules.ts';
import { PackageStore } from './package-store.ts';
import type { OutputSettings } from './plan.ts';
import type { SelectPackages, SourcePackage } from './selection.ts';
import type { SourceContext, SourceDefinition } from './sources/source-definition.ts';
import { sourceDefinitions } from './sources/source-definitions.ts';
import type { Koji } from './koji/koji.ts';
import { fileServerOf, openKoji } from './koji/open-koji.ts';
import { warmBuild } from './koji/warm-build.ts';

/** What composes are made of, as the settings say. Dispose of it when done. */
export interface OpenedSources extends Disposable {
  readonly sources: Readonly<Partial<Record<SourceType, SelectPackages>>>;
  readonly output: OutputSettings;
  readonly store: PackageStore;
  readonly localPathOf: (one: SourcePackage, signal: AbortSignal) => Promise<string>;
  /** Reads what a build says of its packages, for the arches and signing keys of the settings; null without Koji. */
  readonly warm: ((nvr: string, signal: AbortSignal) => Promise<number>) | null;
  /** Where Koji's files are mounted; null where they are not. */
  readonly kojiTopDir: string | null;
  /** Name of a target directory to its path. */
  readonly targetDirs: Readonly<Record<string, string>>;
}

export interface SourceMeans {
  readonly clock: Clock;
  readonly log: Log;
  /** Where composes of composes look theirs up; without one that source type is not offered. */
  readonly database: Pick<Database, 'handle'> | null;
}

/** The job of the compose comes again by itself. */
const METADATA_TRIES = 2;

/** Opens every source type that the settings offer. Throws what opening Koji throws. */
export function openSources(
  config: Config,
  { clock, log, database }: SourceMeans,
  definitions: readonly SourceDefinition[] = sourceDefinitions,
): OpenedSources {
  const stack = new DisposableStack();
  const targetDirs = { ...config.extra_target_dirs, default: config.target_dir };
  const store = new PackageStore(join(config.target_dir, '.packages'));
  const files = fileServerOf(config);
  const policy = repositoryPolicy(parseHostList(config.repo_hosts), files === null ? [] : [files.topUrl]);
  const fetcher = stack.use(
    openOriginFetcher({ store, clock, policy, ...(files === null ? {} : { koji: files }) }),
  );
  const readUrl = repositoryReader(stack.use(new HttpClient({ policy, tries: METADATA_TRIES })));
  const koji = openKoji(config, { store, clock, log, readUrl });
  if (koji !== null) stack.use(koji);
  const context: SourceContext = {
    config,
    koji,
    modules: koji === null ? null : openModules(config, koji),
    handle: database?.handle ?? null,
    readUrl,
    targetDirs,
    documentTypes,
  };
  return {
    sources: openDefinitions(definitions, context),
    output: { delivery: config.delivery, compression: config.repodata_compression },
    store,
    localPathOf: (one, signal) => fetcher.localPathOf(one, signal),
    warm: koji === null ? null : warmer(config, koji),
    kojiTopDir: koji?.source.kind === 'directory' ? koji.source.files.where : null,
    targetDirs,
    [Symbol.dispose]: () => stack.dispose(),
  };
}

function warmer({ arches, sigkeys }: Config, koji: Koji): OpenedSources['warm'] {
  const wanted = { sigkeys, arches: new Set([...arches, 'noarch', 'src']) };
  return (nvr, signal) => warmBuild(koji, { nvr, ...wanted }, signal);
}

/** Opens those source types that the settings offer. Throws what opening one throws. */
export function openDefinitions(
  definitions: readonly SourceDefinition[],
  context: SourceContext,
): OpenedSources['sources'] {
  const sources: Partial<Record<SourceType, SelectPackages>> = {};
  for (const { type, open } of definitions) {
    const select = open(context);
    if (select !== null) sources[type] = select;
  }
  return sources;
}
