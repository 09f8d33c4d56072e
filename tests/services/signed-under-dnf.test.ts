import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { startReactor, type Reactor } from '../../src/app/reactor.ts';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { makeTestKey, type TestKey } from '../composer/signing/test-keys.ts';
import { ensurePackages } from './debian-packages.ts';
import { makeDnfHost } from './dnf-host.ts';

const packages = ensurePackages(['dnf', 'rpm', 'gnupg', 'gpgv']);
const needsPackages = packages.ready ? {} : { skip: packages.reason };
const folder = mkdtempSync('/tmp/odcs-dnf-');
const repository = createDemoRepository(join(folder, 'repository'));
await repository.add('base', new Date());
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends.toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
});

function makeKey(name: string): TestKey {
  const key = makeTestKey(folder, name);
  ends.push(key.end);
  return key;
}

/** Starts the service of a test, whose composes a key signs. */
async function startWithKey(
  key: TestKey,
  { name, port = 0 }: { readonly name: string; readonly port?: number },
): Promise<Reactor> {
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      data_dir: join(folder, name, 'data'),
      target_dir: join(folder, name, 'composes'),
      arches: ['x86_64'],
      port,
      roles: ['api', 'composer', 'janitor'],
      metadata_keys: {
        main: { fingerprint: key.fingerprint, public_key: key.publicKey, gpg_home: key.home },
      },
      metadata_key: 'main',
    },
  });
  return startReactor({ config, log: createLog('silent') });
}

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string().nullable(),
  result_repofile: z.string(),
});

async function compose(reactor: Reactor, more: object): Promise<z.infer<typeof composeSchema>> {
  const body = JSON.stringify({
    source: { type: 'repo', source: repository.directory, packages: ['ed'] },
    ...more,
  });
  const asked = await fetch(`${reactor.url}/api/1/composes/`, { method: 'POST', body });
  const { id } = composeSchema.parse(await asked.json());
  const ended = await fetch(`${reactor.url}/api/1/composes/${id}?wait=60`);
  const made = composeSchema.parse(await ended.json());
  assert.equal(made.state_name, 'done', made.state_reason ?? '');
  return made;
}

async function textOf(url: string): Promise<string> {
  const answer = await fetch(url);
  assert.equal(answer.status, 200, url);
  return answer.text();
}

test(
  'dnf with repo_gpgcheck=1 takes a compose, and refuses one whose repomd.xml was changed',
  needsPackages,
  async () => {
    const reactor = await startWithKey(makeKey('first'), { name: 'changed' });
    ends.push(() => reactor.stop());
    const made = await compose(reactor, {});
    const repoFile = await textOf(made.result_repofile);
    assert.match(repoFile, /^repo_gpgcheck=1$/m);
    const host = makeDnfHost(join(folder, 'host-1'));
    host.useRepoFile(repoFile);
    const listed = await host.run(['repoquery', '--available', 'ed']);
    assert.deepEqual([listed.status, /^ed-/m.test(listed.output)], [0, true], listed.output);

    const repomd = join(
      folder,
      `changed/composes/odcs-${made.id}/compose/Temporary/x86_64/os/repodata/repomd.xml`,
    );
    const signed = readFileSync(repomd, 'utf8');
    writeFileSync(repomd, signed.replace('<revision>', '<revision>1'));
    const other = makeDnfHost(join(folder, 'host-2'));
    other.useRepoFile(repoFile);
    const refused = await other.run(['repoquery', '--available', 'ed']);
    assert.notEqual(refused.status, 0, refused.output);
    assert.match(refused.output, /GPG|signature/i);
    assert.doesNotMatch(refused.output, /^ed-/m);
  },
);

test('a host that reads a series goes on reading it when the key is rotated', needsPackages, async () => {
  const series = { series: 'rotating' };
  const host = makeDnfHost(join(folder, 'host-3'));
  const before = await startWithKey(makeKey('old'), { name: 'rotated' });
  await compose(before, series);
  const port = Number(new URL(before.url).port);
  const latest = `${before.url}/composes/series/rotating/latest.repo`;
  const repoFile = await textOf(latest);
  host.useRepoFile(repoFile);
  const listed = await host.run(['repoquery', '--available', 'ed']);
  assert.equal(listed.status, 0, listed.output);
  await before.stop();

  const rotated = await startWithKey(makeKey('fresh'), { name: 'rotated', port });
  ends.push(() => rotated.stop());
  await compose(rotated, series);
  assert.equal(await textOf(latest), repoFile, 'the .repo file does not change');
  const again = await host.run(['--refresh', 'repoquery', '--available', 'ed']);
  assert.deepEqual([again.status, /^ed-/m.test(again.output)], [0, true], again.output);
});
