import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import { createDemoRepository, writeDemoRule } from '../../src/commands/demo/demo-files.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startReactor, type Reactor } from '../../src/app/reactor.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';
import { postCompose, waitForEnd, type ShownCompose } from './service-calls.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-bad-input-'));
const roots = join(folder, 'roots');
const good = join(roots, 'good');
const rulesDir = join(folder, 'rules');
const reactors: Reactor[] = [];
mkdirSync(roots);
await createDemoRepository(good).add('base', systemClock.now());
writeDemoRule(rulesDir, good, ['curl']);
const reactor = await start('main', { repo_roots: [roots], rules_dir: rulesDir });
const targetDir = join(folder, 'main/composes');

after(async () => {
  for (const reactor of reactors) await reactor.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(name: string, overrides: Partial<Config>): Promise<Reactor> {
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      data_dir: await makeDataDirectory(join(folder, name)),
      port: 0,
      log_level: 'silent',
      ...overrides,
    },
  });
  const started = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  reactors.push(started);
  return started;
}

interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly code: string;
}

const problemSchema = z.object({ message: z.string(), code: z.string().default('') });

/** A request that is not let in. */
async function refusal(body: unknown): Promise<Refusal> {
  const response = await fetch(`${reactor.url}/api/1/composes/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const problem = problemSchema.parse(await response.json());
  return { status: response.status, ...problem };
}

function requestOf(source: string, packages: readonly string[]): object {
  return { source: { type: 'repo', source, packages } };
}

async function compose(source: string, packages: readonly string[] = ['curl']): Promise<ShownCompose> {
  const asked = await postCompose(reactor.url, requestOf(source, packages));
  return waitForEnd(reactor.url, asked.id);
}

/** A copy of the good repository that `spoil` then breaks. */
function givenRepository(name: string, spoil: (directory: string) => void): string {
  const directory = join(roots, name);
  cpSync(good, directory, { recursive: true });
  spoil(directory);
  return directory;
}

function metadataFile(directory: string, type: string): string {
  const name = readdirSync(join(directory, 'repodata')).find((file) => file.includes(`-${type}.xml`));
  assert.ok(name);
  return join(directory, 'repodata', name);
}

/** Puts another primary.xml into a repository, with checksums that fit. */
function replacePrimary(directory: string, content: Buffer, openSize: number): void {
  const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const name = `repodata/${sum(content)}-primary.xml.zst`;
  writeFileSync(join(directory, name), content);
  const file = join(directory, 'repodata/repomd.xml');
  const record = `<data type="primary"><checksum type="sha256">${sum(content)}</checksum><location href="${name}"/><timestamp>1</timestamp><size>${content.length}</size><open-size>${openSize}</open-size></data>`;
  writeFileSync(file, readFileSync(file, 'utf8').replace(/<data type="primary">[\s\S]*?<\/data>/, record));
}

function packageFile(directory: string, name: string): string {
  const found = readdirSync(join(directory, 'Packages')).find(
    (file) => file.startsWith(`${name}-`) && !file.endsWith('src.rpm'),
  );
  assert.ok(found);
  return join(directory, 'Packages', found);
}

/** The compose failed with that sentence, and nothing of it is to be seen. */
function assertFailed(failed: ShownCompose, sentence: RegExp): void {
  assert.equal(failed.state_name, 'failed');
  assert.match(failed.state_reason ?? '', /^Error while generating compose: \S/);
  assert.match(failed.state_reason ?? '', sentence);
  assert.doesNotMatch(failed.state_reason ?? '', /\n\s+at |undefined|\[object/);
  assert.deepEqual(
    readdirSync(targetDir).filter((name) => name.includes(`odcs-${failed.id}`)),
    [],
  );
}

test('what is no request is refused with a sentence', async () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{"source": ', /Failed to decode JSON object/],
    [{}, /No JSON POST data submitted/],
    [{ flags: [] }, /source/i],
    [{ source: { type: 'nonsense', source: 'x' } }, /Unknown source type "?nonsense"?/i],
    [{ source: { type: 'repo', source: 7 } }, /source/],
    [{ source: { type: 'repo', source: good, packages: 'ed' } }, /packages/],
    [{ source: { type: 'repo', source: good }, flags: ['no_such_flag'] }, /Unknown flag no_such_flag/],
    [{ source: { type: 'repo', source: good }, seconds_to_live: 'long' }, /seconds-to-live|seconds_to_live/],
    [requestOf('relative/path', ['ed']), /absolute path or an http/],
    [requestOf('ftp://example.com/repo', ['ed']), /absolute path or an http/],
  ];
  for (const [body, sentence] of cases) {
    const { status, message } = await refusal(body);
    assert.equal(status, 400, `${JSON.stringify(body)}: ${message}`);
    assert.match(message, sentence);
  }
});

test('repositories outside the allowed roots and hosts are refused, however they are named', async () => {
  symlinkSync('/usr', join(roots, 'link'));
  const places = ['/etc', `${roots}/../secret`, join(roots, 'link/share'), 'http://192.0.2.1/repo'];
  for (const place of places) {
    const { status, message } = await refusal(requestOf(place, ['ed']));
    assert.equal(status, 403, `${place}: ${message}`);
    assert.match(message, /outside the allowed directories|are not allowed/);
  }
});

test('a directory that is no repository', async () => {
  const empty = join(roots, 'empty');
  mkdirSync(empty);
  assertFailed(await compose(empty), /Cannot read repodata\/repomd\.xml.* Is this a repository/);
  assertFailed(await compose(join(roots, 'absent')), /Cannot read repodata\/repomd\.xml/);
});

test('a source type or a result that this server does not make is refused when it is asked for', async () => {
  for (const [body, code] of [
    [{ source: { type: 'pulp', source: 'x' } }, 'compose.source_type_unavailable'],
    [{ source: { type: 'tag', source: 'x' } }, 'compose.source_type_unavailable'],
    [{ source: { type: 'repo', source: roots }, results: ['boot.iso'] }, 'compose.result_unavailable'],
  ] as const) {
    const answer = await fetch(`${reactor.url}/api/1/composes/`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 400);
    assert.equal(((await answer.json()) as { code: string }).code, code);
  }
});

test('broken and truncated metadata', async () => {
  const broken = givenRepository('broken', (directory) => {
    writeFileSync(join(directory, 'repodata/repomd.xml'), '<repomd><data type="primary"');
  });
  assertFailed(await compose(broken), /repomd\.xml/);
  const truncated = givenRepository('truncated', (directory) => {
    truncateSync(metadataFile(directory, 'primary'), 100);
  });
  assertFailed(await compose(truncated), /size is 100, repomd\.xml says \d+/);
});

test('metadata that are not what repomd.xml says', async () => {
  const mismatch = givenRepository('mismatch', (directory) => {
    const file = metadataFile(directory, 'primary');
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(file, bytes);
  });
  assertFailed(await compose(mismatch), /The checksum is [0-9a-f]{64}, repomd\.xml says [0-9a-f]{64}/);
});

test('metadata that grow without end', async () => {
  const bomb = givenRepository('bomb', (directory) => {
    const size = 64 * 1024 * 1024;
    replacePrimary(directory, zstdCompressSync(Buffer.alloc(size, 0x20)), 1024);
  });
  assertFailed(await compose(bomb), /decompresses to more than 1024 bytes|open-size/);
  const entities = givenRepository('entities', (directory) => {
    const text = `<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><metadata packages="1"><package type="rpm"><name>&b;</name></package></metadata>`;
    replacePrimary(directory, zstdCompressSync(Buffer.from(text)), text.length);
  });
  assertFailed(await compose(entities), /DOCTYPE|entity|document type/i);
});

test('metadata that refer to files outside', async () => {
  const outside = givenRepository('outside', (directory) =>
    rewriteLocation(directory, '../../elsewhere/Packages/'),
  );
  assertFailed(await compose(outside), /outside the repository/);
  const base = givenRepository('base', (directory) => {
    rewriteLocation(directory, 'Packages/', `xml:base="file://${join(folder, 'main')}" `);
  });
  assertFailed(await compose(base), /outside the repository/);
  const host = givenRepository('host', (directory) => {
    rewriteLocation(directory, 'Packages/', 'xml:base="http://192.0.2.1/" ');
  });
  assertFailed(await compose(host), /Nothing may be fetched from 192\.0\.2\.1/);
});

function rewriteLocation(directory: string, folderName: string, attribute = ''): void {
  const { status, stdout } = spawnSync('zstd', ['-dc', metadataFile(directory, 'primary')], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  assert.equal(status, 0);
  const text = stdout.replaceAll('<location href="Packages/', `<location ${attribute}href="${folderName}`);
  replacePrimary(directory, zstdCompressSync(Buffer.from(text)), Buffer.byteLength(text));
}

test('a requested package that does not exist', async () => {
  assertFailed(
    await compose(good, ['curl', 'no-such-package']),
    /not present in the generated compose: no-such-package\./,
  );
});

test('a package that is missing, was replaced, or is longer than the metadata say', async () => {
  const missing = givenRepository('missing', (directory) => rmSync(packageFile(directory, 'curl')));
  assertFailed(await compose(missing), /The repository has no file Packages\/curl-/);
  const longer = givenRepository('longer', (directory) =>
    appendFileSync(packageFile(directory, 'curl'), 'x'),
  );
  assertFailed(await compose(longer), /The package curl-\S+ has \d+ bytes where its repository says \d+/);
  const linked = givenRepository('linked', (directory) => {
    const file = packageFile(directory, 'curl');
    rmSync(file);
    symlinkSync('/etc/hostname', file);
  });
  assertFailed(await compose(linked), /outside the repository/);
});

test('after all that a good compose is done as ever', async () => {
  assert.equal((await compose(good)).state_name, 'done');
});

test('an unreadable rule file leaves the last good rules running, and health says so', async () => {
  writeFileSync(join(rulesDir, 'broken.yaml'), 'version: 1\nname: [');
  const healthSchema = z.object({}).loose();
  const text = async (): Promise<string> => {
    const response = await fetch(`${reactor.url}/api/1/health`);
    return JSON.stringify(healthSchema.parse(await response.json()));
  };
  while (!(await text()).includes('broken.yaml')) await pause(50);
  assert.match(await text(), /The last good set of 1 rules runs/);
  rmSync(join(rulesDir, 'broken.yaml'));
});

const isRoot = process.getuid?.() === 0;
test('a full disk', { skip: isRoot ? false : 'only root can mount a small file system' }, async (context) => {
  const small = join(folder, 'small');
  mkdirSync(small);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
  if (mounted.status !== 0) {
    context.skip('this machine lets nobody mount');
    return;
  }
  const full = await start('full', { target_dir: join(small, 'composes') });
  try {
    const asked = await postCompose(full.url, requestOf(good, ['curl', 'nginx']));
    const failed = await waitForEnd(full.url, asked.id);
    assert.equal(failed.state_name, 'failed');
    assert.match(
      failed.state_reason ?? '',
      /The disk of the target directory is full; nothing was published\./,
    );
    assert.deepEqual(
      readdirSync(join(small, 'composes')).filter((name) => name.includes('odcs-')),
      [],
    );
  } finally {
    await full.stop();
    spawnSync('umount', [small]);
  }
});
