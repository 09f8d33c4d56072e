import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { documentTypes } from '../../../src/composer/documents/document-types.ts';
import { Koji } from '../../../src/composer/koji/koji.ts';
import { CacheRegistry } from '../../../src/cache/cache-registry.ts';
import { PackageStore } from '../../../src/cache/package-store.ts';
import type { SelectPackages } from '../../../src/composer/selection.ts';
import type { SourceContext } from '../../../src/composer/sources/source-definition.ts';
import { type SourceType, sourceDefinitions } from '../../../src/source-types.ts';
import { loadConfig } from '../../../src/config.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { repositoryPolicy } from '../../../src/upstream/http/fetch-policy.ts';
import { parseHostList } from '../../../src/upstream/http/host-list.ts';
import { HttpClient } from '../../../src/upstream/http/http-client.ts';
import { repositoryReader } from '../../../src/upstream/read-repository-url.ts';
import { defaultRequest } from '../../default-request.ts';
import { sharedPath } from '../../shared.ts';
import { startFileServer } from '../../upstream/koji/file-server.ts';
import { startHubServer } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';
import { checkRepoAccess } from '../../../src/upstream/repo-access.ts';
import { startFakePulp } from '../../upstream/pulp/fake-pulp.ts';
import { universe } from '../main/recorded-vectors.ts';
import { moduleRequest, startModuleComposer } from '../modules/make-compose.ts';
import { openTestComposer, repoRequest } from '../open-test-composer.ts';
import { makeConfigurationRepository, startMainHub, vectorOf } from './raw-config/recorded-configuration.ts';

/** What a source type is tried with. */
export interface Trial {
  readonly context: Partial<SourceContext>;
  readonly request: ComposeRequest;
  /** The same request with its sets in another order, and members twice. */
  readonly shuffled: ComposeRequest;
}

/** A directory for what trials need. */
export const folder = mkdtempSync(join(tmpdir(), 'source-trials-'));
/** The settings that sources are opened with. */
export const { config } = loadConfig({
  file: undefined,
  environment: {},
  overrides: { repo_roots: ['/'], data_dir: join(folder, 'data') },
});
const nowhere = new HttpClient({ policy: repositoryPolicy(parseHostList([])) });
after(() => {
  nowhere.close();
  rmSync(folder, { recursive: true });
});

/** Opens a Koji whose tag f-small, and builds in no tag, have packages of several arches. */
export async function openKojiTrial(): Promise<SourceContext['koji'] & object> {
  const state = new StateHub();
  const server = await startHubServer(state.answer);
  after(() => server.close());
  return openKoji(server.url, sharedPath('pungi', 'koji-topdir'), () => new Date(state.now * 1000));
}

/** How far the clock of this machine is ahead of that of the hub, in milliseconds. */
export const skew = { ahead: 0 };

/** Opens a Koji of a hub and a top directory. */
export function openKoji(
  server: string,
  topDir: string | null,
  now: () => Date,
  topUrl: string | null = null,
): SourceContext['koji'] & object {
  const koji = new Koji({
    profile: {
      name: 'koji',
      server,
      topDir,
      topUrl,
      serverCa: null,
      files: [],
    },
    store: new PackageStore(join(folder, 'store')),
    indexDirectory: mkdtempSync(join(folder, 'index-')),
    clock: { now: () => new Date(now().getTime() + skew.ahead) },
    lookaside: { open: (location) => Promise.resolve(location) },
    isReference: false,
  });
  after(() => koji[Symbol.dispose]());
  return koji;
}

/** Looks modules up in a Koji. */
export function modulesOf(koji: Koji): NonNullable<SourceContext['modules']> {
  return { mbs: null, koji, baseModuleNames: ['platform'], gitAllowedUrls: [] };
}

/** A request for two arches without multilib, everything else at its default. */
export function requestOf(more: Partial<ComposeRequest> & Pick<ComposeRequest, 'sourceType' | 'source'>) {
  return { ...defaultRequest, arches: ['x86_64', 'ppc64le'], multilibMethods: ['none' as const], ...more };
}

const productOfEdAndBash = `version: 1
name: product
release: { name: Product, short: Product, version: "1" }
arches: [x86_64]
inputs: { composes: [ed, bash] }
gather: { check_deps: false }
comps: comps.xml
variants:
  BaseOS: { from: [bash], groups: [shells] }
  AppStream: { from: [ed], packages: ["*"], lookaside: [BaseOS] }
`;

const shells = `<comps><group><id>shells</id><name>Shells</name><packagelist><packagereq type="mandatory">bash</packagereq>
</packagelist></group></comps>`;

/** Opens the Koji and the repository of a configuration that was recorded; `source` names it at its commit. */
export async function openConfiguration(
  recorded: string,
): Promise<Pick<Trial, 'context'> & { readonly source: readonly string[] }> {
  const hub = await startMainHub({ after });
  const koji = openKoji(hub.url, join(universe, 'koji-topdir'), () => new Date(1_795_000_000_000));
  const repository = makeConfigurationRepository({ after });
  const source = [`fixture#${repository.commit(vectorOf(recorded))}`];
  const place = { url: repository.url, path: 'configs', config_filename: 'fixture.conf' };
  const settings = { koji_profile: 'fixture', raw_config_urls: { fixture: place } };
  return { context: { koji, modules: modulesOf(koji), config: { ...config, ...settings } }, source };
}

/** One trial a type: the compiler asks for that of a new one. */
export const trials: { readonly [Type in SourceType]: () => Promise<Trial> } = {
  async repo() {
    const base = { sourceType: 'repo', source: [sharedPath('pungi/repos/edge')] } as const;
    return {
      context: {},
      request: requestOf({ ...base, packages: ['e-dbg', 'e-lib', 'e-needs-cap'] }),
      shuffled: requestOf({ ...base, packages: ['e-needs-cap', 'e-lib', 'e-dbg', 'e-lib'] }),
    };
  },
  async tag() {
    const koji = await openKojiTrial();
    const base = { sourceType: 'tag', source: ['f-small'] } as const;
    return {
      context: { koji, modules: modulesOf(koji) },
      request: requestOf({ ...base, packages: ['e-glob-1', 'e-needs-cap'] }),
      shuffled: requestOf({ ...base, packages: ['e-needs-cap', 'e-glob-1', 'e-needs-cap'] }),
    };
  },
  async build() {
    const koji = await openKojiTrial();
    const base = { sourceType: 'build', source: [] } as const;
    const builds = ['e-glob-1-1-1', 'e-lib-1-1'];
    return {
      context: { koji, modules: modulesOf(koji) },
      request: requestOf({ ...base, builds, packages: ['e-glob-1', 'e-lib-devel'] }),
      shuffled: requestOf({
        ...base,
        builds: [...builds.toReversed(), ...builds],
        packages: ['e-lib-devel', 'e-glob-1', 'e-lib-devel'],
      }),
    };
  },
  async module() {
    const { resources } = await startModuleComposer({ after });
    const words = ['basket:1.10', 'cherry:stable-2'];
    return {
      context: { koji: resources.koji, modules: resources },
      request: moduleRequest(words.join(' ')),
      shuffled: moduleRequest([...words.toReversed(), ...words].join(' ')),
    };
  },
  async compose() {
    const composer = await openTestComposer();
    after(() => composer[Symbol.asyncDispose]());
    const repository = createDemoRepository(join(composer.folder, 'repository'));
    await repository.add('base', composer.now);
    const ids: string[] = [];
    for (const name of ['ed', 'bash']) {
      const { id, state, stateReason } = await composer.compose(repoRequest(repository.directory, [name]));
      assert.equal(state, 'done', stateReason ?? '');
      ids.push(String(id));
    }
    const { kysely } = composer.context.database;
    const base = { sourceType: 'compose', arches: ['x86_64'] } as const;
    return {
      context: { kysely, targetDirs: composer.context.targetDirs },
      request: requestOf({ ...base, source: ids }),
      shuffled: requestOf({ ...base, source: [...ids.toReversed(), ...ids] }),
    };
  },
  async definition() {
    const composer = await openTestComposer();
    after(() => composer[Symbol.asyncDispose]());
    const repository = createDemoRepository(join(composer.folder, 'repository'));
    await repository.add('base', composer.now);
    const pins: string[] = [];
    for (const name of ['ed', 'bash']) {
      const done = await composer.compose(repoRequest(repository.directory, [name]), { series: name });
      assert.equal(done.state, 'done', done.stateReason ?? '');
      pins.push(`${name}=${done.id}`);
    }
    writeFileSync(join(folder, 'product.yaml'), productOfEdAndBash);
    writeFileSync(join(folder, 'comps.xml'), shells);
    const { kysely } = composer.context.database;
    const base = { sourceType: 'definition', arches: ['x86_64'] } as const;
    return {
      context: {
        kysely,
        targetDirs: composer.context.targetDirs,
        config: { ...config, definitions_dir: folder },
      },
      request: requestOf({ ...base, source: ['product', ...pins] }),
      shuffled: requestOf({ ...base, source: ['product', ...pins.toReversed(), ...pins] }),
    };
  },
  async pungi_compose() {
    const composer = await openTestComposer();
    after(() => composer[Symbol.asyncDispose]());
    const arches = ['ppc64le', 'x86_64'];
    const edge = repoRequest(sharedPath('pungi/repos/edge'), ['e-lib', 'e-noarch-plain'], { arches });
    const { id, state, stateReason } = await composer.compose(edge);
    assert.equal(state, 'done', stateReason ?? '');
    const published = await startFileServer(composer.targetDir);
    after(() => published.close());
    const http = new HttpClient({ policy: repositoryPolicy(parseHostList(config.repo_hosts)) });
    after(() => http.close());
    const source = [`${published.url}/odcs-${id}/compose/Temporary`];
    const base = { sourceType: 'pungi_compose', source } as const;
    return {
      context: { http, readUrl: repositoryReader(http) },
      request: requestOf({ ...base, arches }),
      shuffled: requestOf({ ...base, arches: arches.toReversed() }),
    };
  },
  async raw_config() {
    const { context, source } = await openConfiguration('two-variants');
    const arches = ['aarch64', 'x86_64'];
    const base = { sourceType: 'raw_config', source } as const;
    return {
      context,
      request: requestOf({ ...base, arches }),
      shuffled: requestOf({ ...base, arches: arches.toReversed() }),
    };
  },
  async pulp() {
    const names = ['tools', 'baseos'];
    const repositories = names.map((name) => ({
      id: name,
      path: `content/${name}/x86_64`,
      notes: { content_set: name, arch: 'x86_64' },
      directory: sharedPath('pungi/repos/edge'),
    }));
    const { url } = await startFakePulp({ after }, { version: 2, repositories });
    const base = { sourceType: 'pulp', arches: ['x86_64'] } as const;
    return {
      context: { config: { ...config, pulp_server_url: url } },
      request: requestOf({ ...base, source: names }),
      shuffled: requestOf({ ...base, source: [...names.toReversed(), ...names] }),
    };
  },
};

/** Opens the source of a type as the service does, with what its trial brings. */
export async function openTrialSource(
  type: SourceType,
  context: Partial<SourceContext>,
): Promise<SelectPackages> {
  const definition = sourceDefinitions.find((candidate) => candidate.type === type);
  const select = await definition?.open({
    config,
    koji: null,
    modules: null,
    advisories: null,
    kysely: null,
    http: nowhere,
    readUrl: () => Promise.reject(new Error('nothing is behind HTTP here')),
    openPlace: checkRepoAccess,
    targetDirs: {},
    documentTypes,
    caches: new CacheRegistry(),
    ...context,
  });
  assert.ok(select, `${type} is not offered`);
  return select;
}
