// Runs once: no database decides any of this.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type SourceType, sourceDefinitions } from '../../../src/source-types.ts';
import { repositoryPolicy } from '../../../src/upstream/http/fetch-policy.ts';
import { parseHostList } from '../../../src/upstream/http/host-list.ts';
import { HttpClient } from '../../../src/upstream/http/http-client.ts';
import { repositoryReader } from '../../../src/upstream/read-repository-url.ts';
import { sharedPath } from '../../shared.ts';
import { startFileServer } from '../../upstream/koji/file-server.ts';
import { startHubServer } from '../../upstream/koji/hub-server.ts';
import { readModuleHubData } from '../../upstream/koji/module-hub.ts';
import { moduleRequest, startModuleComposer } from '../modules/make-compose.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';
import { defined, planAsked, type NotAsked, type Question } from './ask-source.ts';
import { config, modulesOf, openKoji, requestOf } from './source-trials.ts';

const topDir = sharedPath('pungi', 'koji-topdir');

/** A hub of whose tag f-old something becomes visible late each time it is read. */
async function openRestlessKoji() {
  const state = new StateHub();
  const server = await startHubServer(state.answer);
  after(() => server.close());
  const koji = openKoji(server.url, topDir, () => new Date(state.now * 1000));
  const slow = [state.begin(), state.begin(), state.begin()];
  for (const transaction of slow) transaction.tag('f-old', 'e-glob-1-1-1');
  state.now += 1;
  state.tag('f-old', 'e-tie-b-1-1');
  const commitNext = (): void => {
    slow.shift()?.commit();
    if (slow.length > 0) state.onceAnswered('listTaggedRPMS', commitNext);
  };
  state.onceAnswered('listTaggedRPMS', commitNext);
  return { koji, modules: modulesOf(koji) };
}

const restless: { readonly [Type in SourceType]: NotAsked | (() => Promise<Question>) } = {
  async tag() {
    const request = requestOf({ sourceType: 'tag', source: ['f-old'], packages: ['e-*'] });
    return { context: await openRestlessKoji(), request };
  },
  async definition() {
    const koji = await openRestlessKoji();
    const context = defined('restless', '{ koji: { profile: koji, tags: [f-old] } }', 'packages: ["e-*"]');
    const request = requestOf({ sourceType: 'definition', source: ['restless'] });
    return { context: { ...koji, ...context }, request };
  },
  raw_config: 'reads tags as definitions do',
  build: 'builds are not in a tag',
  async module() {
    const late = { tag: 'f42-modular', builds: [[9008], [9009], [5010]] };
    const koji = { ...readModuleHubData('fixture'), late };
    const { resources } = await startModuleComposer({ after }, { koji });
    const request = moduleRequest('damson:1', { modularKojiTags: ['f42-modular'], flags: ['no_deps'] });
    return { context: { koji: resources.koji, modules: resources }, request };
  },
  repo: 'a repository is as its repomd.xml says',
  compose: 'a compose does not change',
  pungi_compose: 'a compose does not change',
  pulp: 'names repositories of others',
};

const mirror = await startFileServer(sharedPath('pungi'));
const http = new HttpClient({ policy: repositoryPolicy(parseHostList(config.repo_hosts)) });
after(async () => {
  http.close();
  await mirror.close();
});
const overHttp = { http, readUrl: repositoryReader(http) };

/** The repository with packages whose sources exclude ppc64le, in a directory and behind HTTP. */
const excluding: {
  readonly [Type in SourceType]: NotAsked | ((isRemote: boolean) => Promise<Question>);
} = {
  repo(isRemote) {
    const source = [isRemote ? `${mirror.url}/repos/edge` : sharedPath('pungi/repos/edge')];
    const request = requestOf({ sourceType: 'repo', source, packages: ['e-noarch-excl2'] });
    return Promise.resolve({ context: overHttp, request });
  },
  definition(isRemote) {
    const place = isRemote ? `${mirror.url}/repos/edge` : sharedPath('pungi/repos/edge');
    const name = isRemote ? 'remote' : 'local';
    const places = `{ repositories: { all: ["${place}"] } }`;
    const { config: own } = defined(name, places, 'packages: [e-noarch-excl2]');
    // What a definition names is not what a person on this machine asks for.
    const context = { ...overHttp, config: { ...own, repo_hosts: [new URL(mirror.url).host] } };
    return Promise.resolve({ context, request: requestOf({ sourceType: 'definition', source: [name] }) });
  },
  async tag(isRemote) {
    const state = new StateHub();
    state.tag('f-old', 'e-noarch-excl2-1-1');
    const server = await startHubServer(state.answer);
    after(() => server.close());
    const now = (): Date => new Date(state.now * 1000);
    const koji = openKoji(
      server.url,
      isRemote ? null : topDir,
      now,
      isRemote ? `${mirror.url}/koji-topdir` : null,
    );
    const request = requestOf({ sourceType: 'tag', source: ['f-old'], packages: ['e-noarch-excl2'] });
    return { context: { koji, modules: modulesOf(koji) }, request };
  },
  raw_config: 'reads repositories and tags as definitions do',
  build: 'reads packages as tags do',
  module: 'a module has the packages that its build of an arch has',
  compose: 'takes what a compose has of an arch',
  pungi_compose: 'takes what a compose has of an arch',
  pulp: 'names repositories of others',
};

for (const { type } of sourceDefinitions) {
  const ask = restless[type];
  if (typeof ask === 'string') continue;
  test(`source type ${type} composes what changes at every reading with a remark, and the next time without`, async () => {
    const question = await ask();
    const { selection } = await planAsked(type, question);
    assert.match(selection.remarks.join(), /^The tags changed while they were read, 3 times/);
    assert.deepEqual((await planAsked(type, question)).selection.remarks, []);
  });
}

test('modules that become visible in a modular tag while it is read are in the compose of another tag', async () => {
  const late = { tag: 'f42-modular', builds: [[9008]] };
  const koji = { ...readModuleHubData('fixture'), late };
  const { resources } = await startModuleComposer({ after }, { koji });
  const tags = { source: ['f42'], modularKojiTags: ['f42-modular'] };
  const { selection } = await planAsked('tag', {
    context: { koji: resources.koji, modules: resources },
    request: requestOf({ sourceType: 'tag', packages: ['plain-tool'], arches: ['x86_64'], ...tags }),
  });
  const [modules] = selection.documents.filter((document) => document.type === 'modules');
  assert.match(Buffer.from(modules?.bytes ?? []).toString('utf8'), /name: elder/);
  assert.deepEqual(selection.remarks, []);
});

for (const { type } of sourceDefinitions) {
  const ask = excluding[type];
  if (typeof ask === 'string') continue;
  test(`source type ${type} leaves packages out of arches that their sources exclude, or says that nobody knows`, async () => {
    for (const isRemote of [false, true]) {
      const { selection } = await planAsked(type, await ask(isRemote));
      const arches = selection.trees.flatMap(({ arch, binary }) => (binary.length > 0 ? [arch] : []));
      const isSaid = /Sources behind HTTP were not asked for ExcludeArch/.test(selection.remarks.join());
      const isLeftOut = arches.join() === 'x86_64';
      assert.ok(arches.includes('x86_64'));
      assert.ok(
        isRemote ? isLeftOut !== isSaid : isLeftOut && !isSaid,
        `${arches.join()} ${selection.remarks.join()}`,
      );
    }
  });
}
