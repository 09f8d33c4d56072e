import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { documentTypes } from '../../../src/composer/documents/document-types.ts';
import { Koji } from '../../../src/composer/koji/koji.ts';
import { PackageStore } from '../../../src/cache/package-store.ts';
import { readPlan, writePlan } from '../../../src/composer/plan-file.ts';
import { planCompose, type ReadyPlan } from '../../../src/composer/plan.ts';
import type { SelectPackages } from '../../../src/composer/selection.ts';
import type { SourceContext } from '../../../src/composer/sources/source-definition.ts';
import { sourceDefinitions } from '../../../src/composer/sources/source-definitions.ts';
import { loadConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { ReactorError } from '../../../src/model/errors.ts';
import type { MadeSourceType } from '../../../src/model/source-types.ts';
import { repositoryPolicy } from '../../../src/upstream/http/fetch-policy.ts';
import { parseHostList } from '../../../src/upstream/http/host-list.ts';
import { HttpClient } from '../../../src/upstream/http/http-client.ts';
import { repositoryReader } from '../../../src/upstream/read-repository-url.ts';
import { defaultRequest } from '../../default-request.ts';
import { sharedPath } from '../../shared.ts';
import { startFileServer } from '../../upstream/koji/file-server.ts';
import { startHubServer } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';
import { startFakePulp } from '../../upstream/pulp/fake-pulp.ts';
import { universe } from '../main/recorded-vectors.ts';
import { moduleRequest, startModuleComposer } from '../modules/make-compose.ts';
import { openTestComposer, repoRequest } from '../open-test-composer.ts';
import { makeConfigurationRepository, startMainHub, vectorOf } from './raw-config/recorded-configuration.ts';

/** What a source type is tried with. */
interface Trial {
  readonly context: Partial<SourceContext>;
  readonly request: ComposeRequest;
  /** The same request with its sets in another order, and members twice. */
  readonly shuffled: ComposeRequest;
}

const folder = mkdtempSync(join(tmpdir(), 'every-source-'));
const { config } = loadConfig({
  file: undefined,
  environment: {},
  overrides: { repo_roots: ['/'], data_dir: join(folder, 'data') },
});
const log = createLog('silent');

const nowhere = new HttpClient({ policy: repositoryPolicy(parseHostList([])) });
after(() => {
  nowhere.close();
  rmSync(folder, { recursive: true });
});

async function openKojiTrial(): Promise<SourceContext['koji'] & object> {
  const state = new StateHub();
  const server = await startHubServer(state.answer);
  after(() => server.close());
  return openKoji(server.url, sharedPath('pungi', 'koji-topdir'), () => new Date(state.now * 1000));
}

function openKoji(server: string, topDir: string, now: () => Date): SourceContext['koji'] & object {
  const koji = new Koji({
    profile: {
      name: 'koji',
      server,
      topDir,
      topUrl: null,
      serverCa: null,
      files: [],
    },
    store: new PackageStore(join(folder, 'store')),
    indexDirectory: mkdtempSync(join(folder, 'index-')),
    clock: { now },
    lookaside: { open: (location) => Promise.resolve(location) },
    isReference: false,
  });
  after(() => koji[Symbol.dispose]());
  return koji;
}

function modulesOf(koji: Koji): NonNullable<SourceContext['modules']> {
  return { mbs: null, koji, baseModuleNames: ['platform'], gitAllowedUrls: [] };
}

function requestOf(more: Partial<ComposeRequest> & Pick<ComposeRequest, 'sourceType' | 'source'>) {
  return { ...defaultRequest, arches: ['x86_64', 'ppc64le'], multilibMethods: ['none' as const], ...more };
}

/** One trial a type: the compiler asks for that of a new one. */
const trials: { readonly [Type in MadeSourceType]: () => Promise<Trial> } = {
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
    const { means } = await startModuleComposer({ after });
    const words = ['basket:1.10', 'cherry:stable-2'];
    return {
      context: { koji: means.koji, modules: means },
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
    const { handle } = composer.context.database;
    const base = { sourceType: 'compose', arches: ['x86_64'] } as const;
    return {
      context: { handle, targetDirs: composer.context.targetDirs },
      request: requestOf({ ...base, source: ids }),
      shuffled: requestOf({ ...base, source: [...ids.toReversed(), ...ids] }),
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
    const hub = await startMainHub({ after });
    const koji = openKoji(hub.url, join(universe, 'koji-topdir'), () => new Date(1_795_000_000_000));
    const repository = makeConfigurationRepository({ after });
    const source = [`fixture#${repository.commit(vectorOf('two-variants'))}`];
    const place = { url: repository.url, path: 'configs', config_filename: 'fixture.conf' };
    const settings = { koji_profile: 'fixture', raw_config_urls: { fixture: place } };
    const arches = ['aarch64', 'x86_64'];
    const base = { sourceType: 'raw_config', source } as const;
    return {
      context: { koji, modules: modulesOf(koji), config: { ...config, ...settings } },
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

/** Counts what a compose holds: packages, or repositories that it names. */
function countContent({ manifest }: ReadyPlan): number {
  return manifest.filter((line) => /^(?:package|option\trepository )/.test(line)).length;
}

for (const { type, open } of sourceDefinitions) {
  describe(`source type ${type}`, async () => {
    const made = Object.entries(trials).find(([name]) => name === type)?.[1];
    assert.ok(made, `there is no trial of ${type}`);
    const { context, request, shuffled } = await made();
    const openSource = (): SelectPackages => {
      const select = open({
        config,
        koji: null,
        modules: null,
        advisories: null,
        handle: null,
        http: nowhere,
        readUrl: () => Promise.reject(new Error('nothing is behind HTTP here')),
        targetDirs: {},
        documentTypes,
        ...context,
      });
      assert.ok(select, `${type} is not offered`);
      return select;
    };
    const plan = (
      select: SelectPackages,
      asked: ComposeRequest,
      signal = new AbortController().signal,
    ): Promise<ReadyPlan> => {
      const output = { delivery: 'link', compression: 'zstd' } as const;
      return planCompose(
        { log, signal, progress: () => undefined, sources: { [type]: select }, output },
        asked,
      );
    };

    test('composes the same twice, as opened anew', async () => {
      const select = openSource();
      const first = await plan(select, request);
      assert.ok(countContent(first) > 0);
      assert.deepEqual((await plan(select, request)).manifest, first.manifest);
      assert.deepEqual((await plan(openSource(), request)).manifest, first.manifest);
    });

    test('takes sets of any order, with members twice, for the same compose', async () => {
      const select = openSource();
      assert.deepEqual((await plan(select, shuffled)).manifest, (await plan(select, request)).manifest);
    });

    test('selects plain data, and reads metadata of every package', async () => {
      const { reader, ...data } = await plan(openSource(), request);
      assert.deepEqual(readPlan(writePlan(data)), structuredClone(data));
      const packages = data.selection.trees.flatMap((tree) =>
        [...tree.binary, ...tree.debug, ...tree.source].map((one) => one.package),
      );
      const loaded = await reader.loadFragments(packages, new AbortController().signal);
      assert.equal(loaded.length, packages.length);
    });

    test('has a tree and comps for every arch of the variants it names, or neither beside foreign repositories', async () => {
      const { selection } = await plan(openSource(), request);
      const arches = selection.trees.map(({ variant, arch }) => `${variant}.${arch}`);
      if (selection.foreign.length > 0) {
        assert.deepEqual([selection.variants, arches, selection.documents], [[], [], []]);
        return;
      }
      assert.deepEqual(
        arches,
        selection.variants.flatMap(({ uid }) => request.arches.map((arch) => `${uid}.${arch}`)),
      );
      assert.ok(arches.length > 0);
      const comps = selection.documents.filter((one) => one.type === 'group');
      assert.deepEqual(
        comps.map(({ variant, arch }) => `${variant}.${arch}`),
        arches,
      );
    });

    test('ends with the reason of a signal that has aborted', async () => {
      const reason = new ReactorError('compose.timeout', 'The compose took too long.');
      await assert.rejects(plan(openSource(), request, AbortSignal.abort(reason)), reason);
    });

    test('goes on for one compose when another of the same inputs is cancelled', async () => {
      const select = openSource();
      const cancel = new AbortController();
      const cancelled = plan(select, request, cancel.signal);
      const wanted = plan(select, request);
      cancel.abort(new ReactorError('compose.cancelled', 'Canceled by alice'));
      const [first, second] = await Promise.allSettled([cancelled, wanted]);
      assert.equal(first.status, 'rejected');
      assert.equal(second.status, 'fulfilled', second.status === 'rejected' ? String(second.reason) : '');
    });

    for (const flags of [[], ['no_deps' as const]]) {
      test(`takes an empty list of packages for everything, with flags ${flags.join() || 'none'}`, async () => {
        const select = openSource();
        const empty = await plan(select, { ...request, packages: [], flags });
        const missing = await plan(select, { ...request, packages: null, flags });
        assert.deepEqual(empty.manifest, missing.manifest);
        const named = await plan(select, { ...request, flags });
        assert.ok(countContent(empty) >= countContent(named) && countContent(empty) > 0);
      });
    }

    test('has no 32-bit packages where the multilib method is none', async () => {
      const asked = { ...request, multilibArches: request.arches };
      const { manifest } = await plan(openSource(), asked);
      assert.deepEqual(manifest, (await plan(openSource(), request)).manifest);
    });
  });
}
