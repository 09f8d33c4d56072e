// Runs once: no database decides what is taken of other arches.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { MultilibMethod } from '../../../src/model/compose.ts';
import { repositoryPolicy } from '../../../src/upstream/http/fetch-policy.ts';
import { parseHostList } from '../../../src/upstream/http/host-list.ts';
import { HttpClient } from '../../../src/upstream/http/http-client.ts';
import { repositoryReader } from '../../../src/upstream/read-repository-url.ts';
import { sourceDefinitions, type SourceType } from '../../../src/source-types.ts';
import { sharedPath } from '../../shared.ts';
import { startFileServer } from '../../upstream/koji/file-server.ts';
import { moduleRequest, startModuleComposer } from '../modules/make-compose.ts';
import { openTestComposer, repoRequest, type TestComposer } from '../open-test-composer.ts';
import { defined, planAsked, type Question } from './ask-source.ts';
import { config, modulesOf, openConfiguration, openKojiTrial, requestOf, trials } from './source-trials.ts';

const edge = sharedPath('pungi/repos/edge');

/** A composer that made a compose of packages of two arches, and the id of that. */
async function composeMultilib(): Promise<{ readonly composer: TestComposer; readonly id: number }> {
  const composer = await openTestComposer();
  after(() => composer[Symbol.asyncDispose]());
  const multilib = { multilibArches: ['x86_64'], multilibMethods: ['all' as const] };
  const made = await composer.compose(repoRequest(edge, ['e-lib'], { arches: ['x86_64'], ...multilib }));
  assert.equal(made.state, 'done', made.stateReason ?? '');
  return { composer, id: made.id };
}

/** Who says whether a compose of a type has 32-bit packages, and a request whose answer has some where that is possible. */
interface Row {
  readonly decidedBy: 'the request' | 'its parts' | 'its configuration' | 'nobody: it has no packages';
  readonly ask: () => Promise<Question>;
}

const rows: { readonly [Type in SourceType]: Row } = {
  tag: {
    decidedBy: 'the request',
    async ask() {
      const koji = await openKojiTrial();
      const request = requestOf({ sourceType: 'tag', source: ['f-all'], packages: ['e-lib'] });
      return { context: { koji, modules: modulesOf(koji) }, request };
    },
  },
  build: {
    decidedBy: 'the request',
    async ask() {
      const koji = await openKojiTrial();
      const builds = ['e-lib-1-1'];
      const request = requestOf({ sourceType: 'build', source: [], builds, packages: ['e-lib'] });
      return { context: { koji, modules: modulesOf(koji) }, request };
    },
  },
  module: {
    decidedBy: 'the request',
    async ask() {
      const { resources } = await startModuleComposer({ after });
      return { context: { koji: resources.koji, modules: resources }, request: moduleRequest('basket:1.10') };
    },
  },
  repo: {
    decidedBy: 'the request',
    async ask() {
      const request = requestOf({ sourceType: 'repo', source: [edge], packages: ['e-lib'] });
      return Promise.resolve({ context: {}, request });
    },
  },
  pungi_compose: {
    decidedBy: 'the request',
    async ask() {
      const { composer, id } = await composeMultilib();
      const published = await startFileServer(composer.targetDir);
      const http = new HttpClient({ policy: repositoryPolicy(parseHostList(config.repo_hosts)) });
      after(async () => {
        http.close();
        await published.close();
      });
      const koji = await openKojiTrial();
      const source = [`${published.url}/odcs-${id}/compose/Temporary`];
      const request = requestOf({ sourceType: 'pungi_compose', source, arches: ['x86_64'] });
      return { context: { http, koji, readUrl: repositoryReader(http) }, request };
    },
  },
  compose: {
    decidedBy: 'its parts',
    async ask() {
      const { composer, id } = await composeMultilib();
      const { database, targetDirs } = composer.context;
      const request = requestOf({ sourceType: 'compose', source: [String(id)], arches: ['x86_64'] });
      return { context: { kysely: database.kysely, targetDirs }, request };
    },
  },
  definition: {
    decidedBy: 'its configuration',
    ask() {
      const places = `{ repositories: { all: ["${edge}"] } }`;
      const context = defined('multilib', places, 'packages: [e-lib], multilib: [devel, runtime]');
      const request = requestOf({ sourceType: 'definition', source: ['multilib'] });
      return Promise.resolve({ context, request });
    },
  },
  raw_config: {
    decidedBy: 'its configuration',
    async ask() {
      const { context, source } = await openConfiguration('multilib');
      return { context, request: requestOf({ sourceType: 'raw_config', source, arches: ['x86_64'] }) };
    },
  },
  pulp: {
    decidedBy: 'nobody: it has no packages',
    async ask() {
      const { context, request } = await trials.pulp();
      return { context, request };
    },
  },
};

for (const { type } of sourceDefinitions) {
  const { decidedBy, ask } = rows[type];
  test(`whether a compose of source type ${type} has 32-bit packages says ${decidedBy}`, async () => {
    const { context, request } = await ask();
    const linesOf = async (more: object): Promise<readonly string[]> =>
      (await planAsked(type, { context, request: { ...request, ...more } })).manifest;
    const by = (multilibMethods: readonly MultilibMethod[]): Promise<readonly string[]> =>
      linesOf({ multilibArches: request.arches, multilibMethods });
    const has32Bit = (lines: readonly string[]): boolean => lines.some((line) => /\.i686\b/.test(line));
    const [none, all, unasked] = [
      await by(['none']),
      await by(['all']),
      await linesOf({ multilibArches: [] }),
    ];
    assert.deepEqual(none, unasked, 'none is what is not asked for');
    switch (decidedBy) {
      case 'the request':
        assert.deepEqual([has32Bit(none), has32Bit(all)], [false, true]);
        break;
      case 'its parts':
      case 'its configuration':
        assert.deepEqual([has32Bit(none), all], [true, none]);
        break;
      case 'nobody: it has no packages':
        assert.deepEqual([has32Bit(none), all], [false, none]);
        break;
    }
  });
}
