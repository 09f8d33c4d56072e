// Runs once: how long the API holds the event loop is no matter of the database.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { storeManifest } from '../../src/database/manifests.ts';
import { fingerprintOf, manifestLineOf, manifestOf } from '../../src/model/fingerprint.ts';
import { formatBlock, measureLongestBlock } from '../longest-block.ts';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { listen } from './listen.ts';
import { openTestApi } from './open-test-api.ts';

const PACKAGES = 20_000;
const CLIENTS = 4;
const ROUNDS = 1;
/** What a probe of a balancer is to wait at most, of CPU of the service. */
const MOST_MS = 50;
const MOST_TRIES = 4;
const arches = ['x86_64', 'aarch64'];

const api = await openTestApi();
const server = await listen(api.context);
after(async () => {
  await server[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});
let first = 0;
let second = 0;

before(async () => {
  first = await givenHuge(1);
  second = await givenHuge(2);
});

/** Stores a compose of as many packages; every fiftieth is another one in each version. */
async function givenHuge(version: number): Promise<number> {
  const packages = Array.from({ length: PACKAGES / arches.length }, (_, at) => ({
    name: `package-${at}`,
    evr: `1.${at % 50 === 0 ? version : 0}-1.fc44`,
    payload: `${at}`.padStart(64, '0'),
    why: `package-${at} was asked for, because package-${at - 1} requires it`,
  }));
  const manifest = manifestOf({
    variants: [],
    trees: arches.map((arch) => ({ variant: 'Temporary', arch })),
    documents: [],
    options: {},
    packageLines: arches.flatMap((arch) =>
      packages.map(({ name, evr, payload }) =>
        manifestLineOf({
          variant: 'Temporary',
          arch,
          kind: 'binary',
          nevra: `${name}-0:${evr}.${arch}`,
          payload,
          sigkey: 'aabbccdd',
          fileName: '',
          reference: '',
        }),
      ),
    ),
  });
  const fingerprint = fingerprintOf(manifest);
  await storeManifest(api.database, fingerprint, manifest);
  const source = { type: 'tag', source: 'f26', packages: ['package-1'] };
  const id = await givenCompose(api, {}, { source, series: 'huge' });
  await changeCompose(api, id, { fingerprint, state: 'done', time_done: api.now });
  const directory = join(api.targetDir, `odcs-${id}`, 'logs/global');
  mkdirSync(directory, { recursive: true });
  const whyOf = (arch: string) =>
    Object.fromEntries(packages.map(({ name, evr, why }) => [`${name}-${evr}.${arch}.rpm`, why]));
  const why = Object.fromEntries(arches.map((arch) => [arch, whyOf(arch)]));
  writeFileSync(join(directory, 'why.json'), JSON.stringify(why));
  return id;
}

async function read(path: string): Promise<void> {
  const answer = await fetch(`${server.url}${path}`);
  assert.equal(answer.status, 200, path);
  await answer.bytes();
}

test('four clients that read pages of huge composes do not hold up a probe of the service', async (context) => {
  const paths = [
    `/console/composes/${second}`,
    `/api/1/composes/${second}/manifest?since=${first}`,
    `/console/composes/${second}?q=package-77`,
    `/api/1/find?q=package-77`,
  ];
  let shortest = Infinity;
  for (let attempt = 1; attempt <= MOST_TRIES && shortest >= MOST_MS; attempt += 1) {
    const over = new AbortController();
    const { block } = await measureLongestBlock(async () => {
      const clients = Array.from({ length: CLIENTS }, async (_, client) => {
        for (let round = 0; round < ROUNDS * paths.length; round += 1) {
          await read(paths[(client + round) % paths.length] ?? '');
        }
      });
      const probing = probe(over.signal);
      await Promise.all(clients);
      over.abort();
      await probing;
    });
    context.diagnostic(`stood still for ${formatBlock(block)}`);
    shortest = Math.min(shortest, block.cpuMs);
  }
  assert.ok(shortest < MOST_MS, `it stood still for ${Math.round(shortest)} ms of CPU`);
});

/** Asks for the health as a balancer does until it is told to end. */
async function probe(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await read('/healthz');
    await pause(5);
  }
}
