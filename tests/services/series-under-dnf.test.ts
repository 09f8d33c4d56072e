import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { startReactor } from '../../src/app/reactor.ts';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { command as composeCommand } from '../../src/commands/compose.ts';
import { command as lockCommand } from '../../src/commands/lock.ts';
import { command as seriesCommand } from '../../src/commands/series.ts';
import type { Command } from '../../src/commands/command.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { ensurePackages } from './debian-packages.ts';

const MOVES = 100;
const packages = ensurePackages(['dnf', 'python3-dnf', 'rpm']);
const needsPackages = packages.ready ? {} : { skip: packages.reason };
const folder = mkdtempSync(join(tmpdir(), 'odcs-series-'));
const repository = createDemoRepository(join(folder, 'repository'));
await repository.add('base', new Date());
const { config } = loadConfig({
  file: undefined,
  environment: {},
  overrides: {
    data_dir: join(folder, 'data'),
    target_dir: join(folder, 'composes'),
    arches: ['x86_64'],
    port: 0,
    roles: ['api', 'composer', 'janitor'],
  },
});
const reactor = await startReactor({ config, log: createLog('silent') });
after(async () => {
  await reactor.stop();
  rmSync(folder, { recursive: true, force: true });
});

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string().nullable(),
});

/** Has a series continued and waits for the end. */
async function compose(
  series: string,
  names: readonly string[],
  flags: readonly string[] = [],
): Promise<number> {
  const body = JSON.stringify({
    source: { type: 'repo', source: repository.directory, packages: names },
    flags,
    series,
  });
  const asked = await fetch(`${reactor.url}/api/1/composes/`, { method: 'POST', body });
  const { id } = composeSchema.parse(await asked.json());
  const ended = await fetch(`${reactor.url}/api/1/composes/${id}?wait=60`);
  const { state_name: state, state_reason: reason } = composeSchema.parse(await ended.json());
  assert.equal(state, 'done', reason ?? '');
  return id;
}

let hosts = 0;
/** Runs dnf on a host that has nothing yet; returns its status and what it said. */
function dnf(repoFile: string, args: readonly string[]): Promise<{ status: number | null; output: string }> {
  hosts += 1;
  const root = join(folder, `host-${hosts}`);
  const fixed = [
    `--installroot=${root}`,
    '--releasever=42',
    '--forcearch=x86_64',
    '--setopt=module_platform_id=platform:f42',
    '--setopt=install_weak_deps=0',
    `--setopt=cachedir=${root}/cache`,
    `--setopt=logdir=${root}`,
    `--setopt=reposdir=${repoFile}`,
    '--disableplugin=*',
    '-y',
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('dnf', [...fixed, ...args], { env: { ...process.env, LC_ALL: 'C' } });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => (output += piece.toString()));
    child.on('error', reject);
    child.on('close', (status) => {
      rmSync(root, { recursive: true, force: true });
      resolve({ status, output });
    });
  });
}

async function fetchRepoFile(series: string): Promise<string> {
  const directory = mkdtempSync(join(folder, 'repos-'));
  const answer = await fetch(`${reactor.url}/composes/series/${series}/latest.repo`);
  assert.equal(answer.status, 200);
  writeFileSync(join(directory, 'odcs.repo'), await answer.text());
  return directory;
}

async function run(command: Command, argv: readonly string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const code = await command.run({
    argv: [...argv, '--server', reactor.url],
    stdout: (text) => (out += text),
    stderr: (text) => (out += text),
    environment: {},
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out };
}

test(
  'dnf reads and downloads through latest while it moves, and never meets an error',
  needsPackages,
  async (context) => {
    const sets = [
      ['ed', 'curl'],
      ['ed', 'nginx', 'curl'],
    ];
    // Each is made once; from then on a compose of the series only points there, so that the link moves quickly.
    for (const names of sets) await compose('moving', names);
    const repoFile = await fetchRepoFile('moving');
    const progress = { moves: 0, isReading: true };
    const moving = (async () => {
      while (progress.isReading || progress.moves < MOVES) {
        await compose('moving', sets[progress.moves % 2] ?? []);
        progress.moves += 1;
      }
    })();
    let reads = 0;
    try {
      while (progress.moves < MOVES) {
        const { status, output } = await dnf(repoFile, ['install', '--downloadonly', 'curl', 'ed']);
        assert.equal(status, 0, `after ${progress.moves} moves: ${output}`);
        reads += 1;
      }
    } finally {
      progress.isReading = false;
      await moving;
    }
    context.diagnostic(`${reads} installations while the link moved ${progress.moves} times`);
    assert.ok(reads > 0 && progress.moves >= MOVES);
  },
);

test(
  'a lock file is what dnf installs, is brought up to date, and says what changed',
  needsPackages,
  async () => {
    await compose('locked', ['curl', 'nginx', 'ed']);
    const file = join(folder, 'rpms.lock.yaml');
    const made = await run(composeCommand, ['lock', 'locked', '--packages', 'curl,ed', '--to', file]);
    assert.equal(made.code, 0, made.out);
    const lockSchema = z.object({
      arches: z.array(
        z.object({
          arch: z.string(),
          packages: z.array(z.object({ url: z.string(), name: z.string(), evr: z.string() })),
        }),
      ),
    });
    const read = lockSchema.parse(parse(readFileSync(file, 'utf8')));
    const ours = read.arches.flatMap((tree) => tree.packages.map(({ name, evr }) => `${name} ${evr}`)).sort();
    const { output } = await dnf(await fetchRepoFile('locked'), [
      'install',
      '--assumeno',
      '--setopt=assumeyes=0',
      'curl',
      'ed',
    ]);
    const theirs = [...output.matchAll(/^ (\S+) +x86_64 +(\S+) +odcs-locked /gm)]
      .map(([, name, evr]) => `${name} ${evr}`)
      .sort();
    assert.deepEqual(ours, theirs, output);
    for (const { url } of read.arches[0]?.packages ?? []) {
      assert.ok(url.includes('/series/locked/latest/'), url);
      assert.equal((await fetch(url, { method: 'HEAD' })).status, 200, url);
    }

    assert.match((await run(lockCommand, ['update', file])).out, /nothing changed/);
    await repository.add('update', new Date());
    await compose('locked', ['curl', 'nginx', 'ed']);
    const before = readFileSync(file, 'utf8');
    const checked = await run(lockCommand, ['update', file, '--check']);
    assert.deepEqual([checked.code, readFileSync(file, 'utf8')], [1, before]);
    const updated = await run(lockCommand, ['update', file]);
    assert.match(updated.out, /^- openssl-libs .*\n\+ openssl-libs /m);
    const after = readFileSync(file, 'utf8');
    const changed = after.split('\n').filter((line) => !before.split('\n').includes(line));
    assert.ok(
      changed.every((line) => /openssl|size|checksum|evr/.test(line)),
      changed.join('\n'),
    );
    // What the older lock file names can be had as long as its compose lives.
    for (const { url } of read.arches[0]?.packages ?? []) {
      assert.equal((await fetch(url, { method: 'HEAD' })).status, 200, url);
    }
  },
);

test('lock files over HTTP: by query, by list, by rpms.in.yaml, of a moment, and sentences for what is wrong', async () => {
  const id = await compose('asked', ['curl', 'ed']);
  const get = (path: string, init: RequestInit = {}) => fetch(`${reactor.url}/api/1/${path}`, init);
  const whole = await get(`composes/${id}/rpms.lock.yaml`);
  assert.equal(whole.headers.get('content-type'), 'application/yaml; charset=utf-8');
  const query = await (await get('series/asked/rpms.lock.yaml?packages=ed&sources=0')).text();
  const list = await (
    await get('series/asked/rpms.lock.yaml', { method: 'POST', body: 'packages: [ed]\nnoSources: true\n' })
  ).text();
  assert.equal(query, list);
  assert.match(query, /\/composes\/series\/asked\/latest\/compose\/Temporary\/x86_64\/os\/Packages\/e\/ed-/);
  const moment = new Date().toISOString();
  assert.match(
    await (await get(`series/asked/rpms.lock.yaml?packages=ed&at=${moment}`)).text(),
    new RegExp(`/series/asked/at/${moment}/`),
  );
  const codeOf = async (answer: Promise<Response>): Promise<unknown> => {
    const response = await answer;
    const body: unknown = await response.json();
    return [response.status, typeof body === 'object' && body !== null && 'code' in body ? body.code : null];
  };
  assert.deepEqual(await codeOf(get('series/asked/rpms.lock.yaml?packages=none')), [
    400,
    'lock.package_unknown',
  ]);
  assert.deepEqual(await codeOf(get('series/asked/rpms.lock.yaml?arches=s390x')), [400, 'lock.arch_unknown']);
  assert.deepEqual(await codeOf(get('series/asked/rpms.lock.yaml?package=ed')), [
    400,
    'request.unknown_query',
  ]);
  assert.deepEqual(await codeOf(get('composes/999999/rpms.lock.yaml?package=ed')), [
    400,
    'request.unknown_query',
  ]);
  assert.deepEqual(await codeOf(get('series/asked/rpms.lock.yaml?at=never')), [400, 'series.moment_invalid']);
  for (const body of [
    '{',
    '&a [*a]',
    'x: &a [1]\ny: [*a, *a]',
    '- [',
    '"ed"',
    '[@core]',
    '- '.repeat(130_000),
  ]) {
    assert.deepEqual(
      await codeOf(get('series/asked/rpms.lock.yaml', { method: 'POST', body })),
      [400, 'lock.request_invalid'],
      body.slice(0, 40),
    );
  }
  assert.deepEqual(await codeOf(get('composes/999999/rpms.lock.yaml')), [404, 'compose.not_found']);
});

function listFiles(directory: string): Stats[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => lstatSync(join(entry.parentPath, entry.name)));
}

test('the dry run of keeping names what would go, and counts only what nobody else links to', async () => {
  const first = await compose('dry', ['ed'], ['no_reuse']);
  const second = await compose('dry', ['ed', 'bash'], ['no_reuse']);
  const listed = await run(seriesCommand, ['list']);
  assert.match(listed.out, new RegExp(`^dry +${second} +`, 'm'));
  const { out } = await run(seriesCommand, ['keep', 'dry', '--dry-run']);
  assert.match(out, new RegExp(`^goes  ${second}  [\\s\\S]*^goes  ${first}  `, 'm'));
  const [, freed, onDisk] = /That frees (\d+) bytes of the (\d+)/.exec(out)?.map(Number) ?? [];
  const linked = [first, second].flatMap((id) => listFiles(join(config.target_dir, `odcs-${id}`)));
  const alone = linked.filter(({ nlink }) => nlink === 1).reduce((sum, { blocks }) => sum + blocks * 512, 0);
  // The packages are hard links to those of the repository, which stays.
  assert.ok(linked.some(({ nlink }) => nlink > 1));
  assert.equal(freed, alone);
  const files = new Map(linked.map(({ ino, blocks }) => [ino, blocks * 512]));
  assert.equal(
    onDisk,
    [...files.values()].reduce((sum, bytes) => sum + bytes, 0),
  );
  for (const id of [first, second]) {
    const own = listFiles(join(config.target_dir, `odcs-${id}`));
    const sum = (some: typeof own): number => some.reduce((bytes, { blocks }) => bytes + blocks * 512, 0);
    const [, bytes, ofIt] =
      new RegExp(`^goes +${id} +\\S+ +(\\d+) +(\\d+) +from `, 'm').exec(out)?.map(Number) ?? [];
    assert.deepEqual({ bytes, ofIt }, { bytes: sum(own), ofIt: sum(own.filter(({ nlink }) => nlink === 1)) });
  }
  await assert.rejects(run(seriesCommand, ['keep', 'dry']), { code: 'series.dry_run_only' });
});
