import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import type { SourceContext } from '../../../src/composer/sources/source-definition.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import type { SourceType } from '../../../src/source-types.ts';
import { sharedPath } from '../../shared.ts';
import { readMbsItems } from '../../upstream/fake-mbs.ts';
import { serve } from '../../upstream/http/test-server.ts';
import { startHubServer, type ServedCall } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';
import { startModuleComposer } from '../modules/make-compose.ts';
import { universe } from '../main/recorded-vectors.ts';
import { makeConfigurationRepository, startMainHub, vectorOf } from './raw-config/recorded-configuration.ts';
import { config, folder, modulesOf, openKoji, type Trial } from './source-trials.ts';

/** An input that is larger than a source reads, and how the compose of it ends. */
export interface OversizedInput {
  readonly what: string;
  readonly code: string;
  /** What the error says, where its code does not say that it is about a size. */
  readonly message?: RegExp;
  readonly context: Partial<SourceContext>;
  readonly request: ComposeRequest;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** A file that has so many bytes and takes no room. */
function writeSparse(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
}

/** A repository whose repomd.xml says that its primary has more bytes than are read. */
function makeHugeRepository(): string {
  const directory = mkdtempSync(join(folder, 'huge-'));
  mkdirSync(join(directory, 'repodata'));
  writeFileSync(
    join(directory, 'repodata/repomd.xml'),
    '<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary">' +
      `<checksum type="sha256">${'0'.repeat(64)}</checksum><location href="repodata/primary.xml"/>` +
      `<size>${GIB}</size></data></repomd>`,
  );
  return directory;
}

/** A copy of a top directory whose packages all claim to have headers of four thousand million entries. */
function copyWithHugeHeaders(topDir: string): string {
  const copy = mkdtempSync(join(folder, 'topdir-'));
  cpSync(topDir, copy, { recursive: true });
  for (const name of readdirSync(copy, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.rpm')) continue;
    const bytes = readFileSync(join(copy, name));
    bytes.writeUInt32BE(0xffff_ffff, LEAD + 8);
    writeFileSync(join(copy, name), bytes);
  }
  return copy;
}

/** Bytes before the first header of an RPM. */
const LEAD = 96;

/** A Koji whose hub answers one method with a text of 17 MiB. */
async function openTalkativeKoji(method: string): Promise<Partial<SourceContext>> {
  const state = new StateHub();
  const answer = (call: ServedCall) =>
    call.method === method ? { value: 'x'.repeat(17 * MIB) } : state.answer(call);
  const server = await startHubServer(answer);
  after(() => server.close());
  const koji = openKoji(server.url, sharedPath('pungi', 'koji-topdir'), () => new Date(state.now * 1000));
  return { koji, modules: modulesOf(koji) };
}

/** A Koji all of whose packages have huge headers. */
async function openHugeHeaders(): Promise<Partial<SourceContext>> {
  const state = new StateHub();
  const server = await startHubServer(state.answer);
  after(() => server.close());
  const topDir = copyWithHugeHeaders(sharedPath('pungi', 'koji-topdir'));
  const koji = openKoji(server.url, topDir, () => new Date(state.now * 1000));
  return { koji, modules: modulesOf(koji) };
}

const ofKoji = async ({ context, request }: Trial, method: string): Promise<readonly OversizedInput[]> => [
  {
    what: 'a text of its hub',
    code: 'http.too_large',
    context: await openTalkativeKoji(method),
    request,
  },
  {
    what: 'headers of its packages',
    code: 'rpm.header_too_large',
    context: await openHugeHeaders(),
    request,
  },
  {
    what: 'the metadata of a lookaside repository',
    code: 'repodata.too_large',
    context,
    request: { ...request, lookasideRepos: [makeHugeRepository()] },
  },
];

/** Parts, of these ids, whose metadata are too large. */
async function ofParts(
  { context, request }: Trial,
  ids: readonly string[],
): Promise<readonly OversizedInput[]> {
  const of = (path: string, bytes: number): Partial<SourceContext> => {
    const targetDir = mkdtempSync(join(folder, 'target-'));
    cpSync(context.targetDirs?.['default'] ?? '', targetDir, { recursive: true });
    for (const id of ids) writeSparse(join(targetDir, `odcs-${id}/compose`, path), bytes);
    return { ...context, targetDirs: { default: targetDir } };
  };
  return [
    {
      what: 'rpms.json of a part',
      code: 'compose.part_unreadable',
      message: /bytes, more than are read/,
      context: of('metadata/rpms.json', 4 * GIB),
      request,
    },
    {
      what: 'repomd.xml of a part',
      code: 'repodata.too_large',
      context: of('Temporary/x86_64/os/repodata/repomd.xml', 17 * MIB),
      request,
    },
  ];
}

/** What is too large for a source of each type: the compiler asks for that of a new one. */
export const oversizedInputs: {
  readonly [Type in SourceType]: (trial: Trial) => Promise<readonly OversizedInput[]>;
} = {
  async repo({ context, request }) {
    const repomd = mkdtempSync(join(folder, 'repomd-'));
    mkdirSync(join(repomd, 'repodata'));
    writeSparse(join(repomd, 'repodata/repomd.xml'), 17 * MIB);
    const metadata = { code: 'repodata.too_large', context };
    return [
      { ...metadata, what: 'repomd.xml', request: { ...request, source: [repomd] } },
      { ...metadata, what: 'primary.xml', request: { ...request, source: [makeHugeRepository()] } },
      {
        ...metadata,
        what: 'the metadata of a lookaside repository',
        request: { ...request, lookasideRepos: [makeHugeRepository()] },
      },
    ];
  },
  tag: (trial) => ofKoji(trial, 'listTaggedRPMS'),
  build: (trial) => ofKoji(trial, 'listBuildRPMs'),
  async module({ request }) {
    const items = readMbsItems('fixture').map((item) => {
      const text = typeof item['modulemd'] === 'string' ? item['modulemd'] : '';
      return { ...item, modulemd: text.replace('\ndata:', `\n# ${'x'.repeat(3 * MIB)}\ndata:`) };
    });
    const { resources } = await startModuleComposer({ after }, { items });
    return [
      {
        what: 'a modulemd document',
        code: 'modulemd.too_large',
        context: { koji: resources.koji, modules: resources },
        request,
      },
    ];
  },
  compose: (trial) => ofParts(trial, trial.request.source),
  definition: (trial) =>
    ofParts(
      trial,
      trial.request.source.slice(1).map((pin) => pin.slice(pin.indexOf('=') + 1)),
    ),
  async pungi_compose({ context, request }) {
    const { url } = await serve({ after }, (asked, response) => {
      if (asked.url?.endsWith('STATUS') === true) response.writeHead(404).end();
      else response.writeHead(200, { 'content-length': GIB }).write('{');
    });
    const source = [`${url}/compose/Temporary`];
    return [{ what: 'composeinfo.json', code: 'http.too_large', context, request: { ...request, source } }];
  },
  async raw_config({ context, request }) {
    const repository = makeConfigurationRepository({ after });
    const hash = repository.commit(vectorOf('two-variants'), (text) => `${text}\n# ${'x'.repeat(5 * MIB)}\n`);
    const place = { url: repository.url, path: 'configs', config_filename: 'fixture.conf' };
    const hub = await startMainHub({ after });
    const topDir = copyWithHugeHeaders(join(universe, 'koji-topdir'));
    const koji = openKoji(hub.url, topDir, () => new Date(1_795_000_000_000));
    return [
      {
        what: 'a file of its configuration',
        code: 'git.too_large',
        context: {
          ...context,
          config: { ...(context.config ?? config), raw_config_urls: { fixture: place } },
        },
        request: { ...request, source: [`fixture#${hash}`] },
      },
      {
        what: 'headers of its packages',
        code: 'rpm.header_too_large',
        context: { ...context, koji, modules: modulesOf(koji) },
        request,
      },
    ];
  },
  async pulp({ request }) {
    const { url } = await serve({ after }, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': GIB }).write('[');
    });
    return [
      {
        what: 'the list of repositories',
        code: 'http.too_large',
        context: { config: { ...config, pulp_server_url: url } },
        request,
      },
    ];
  },
};
