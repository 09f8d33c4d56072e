import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DelegateContext, DelegatedCompose } from '../../../src/composer/delegate.ts';
import { runPungi, type PungiInput } from '../../../src/composer/pungi/run-pungi.ts';
import { createLog } from '../../../src/log.ts';
import { composeJson } from '../../../src/model/compose-json.ts';
import { givenCompose } from './given-compose.ts';
import { writeStandIns } from './stand-in-pungi.ts';

const folder = mkdtempSync(join(tmpdir(), 'run-pungi-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { pungi, validate } = writeStandIns(folder);
const release = 'release_name = "Fixture"\nrelease_short = "Fix"\nrelease_version = "40"\n';
let runs = 0;

interface Run {
  readonly directory: string;
  readonly steps: string[];
  readonly made: Promise<DelegatedCompose>;
}

function run(text: string, more: Partial<PungiInput> = {}, changed: Partial<DelegateContext> = {}): Run {
  const targetDir = join(folder, `composes-${(runs += 1)}`);
  mkdirSync(targetDir);
  const compose = givenCompose();
  const directory = join(targetDir, 'odcs-7');
  const steps: string[] = [];
  const input: PungiInput = {
    files: new Map([['fix.conf', Buffer.from(`${release}${text}\n`)]]),
    file: 'fix.conf',
    name: 'fix',
    wrapper: '',
    programs: { pungi, validate, python: 'python3' },
    settledArguments: [],
    schemaOverrides: ['/etc/all.json', '', '/etc/own.json'],
    timeoutSeconds: 60,
    environment: { PATH: process.env['PATH'] ?? '' },
    ...more,
  };
  const made = runPungi(input, {
    signal: new AbortController().signal,
    progress: (stage) => steps.push(stage),
    log: createLog('silent'),
    limitTime: (seconds) => steps.push(`${seconds} seconds`),
    nameCompose: () => Promise.resolve(),
    targetDir,
    directory,
    compose,
    json: composeJson(compose, { default: 'http://x', extra: {} }),
    identity: { name: 'odcs-7', date: '20261122', type: 'test', respin: 7, label: null, timestamp: 1 },
    configDump: null,
    ...changed,
  });
  return { directory, steps, made };
}

test('a configuration is checked by both schema overrides, then Pungi runs, phase by phase', async () => {
  const { directory, steps, made } = run('');
  assert.equal((await made).pungiComposeId, 'Fix-40-20261122.t.7');
  const said = readFileSync(join(directory, 'pungi-config-validate-stdout.log'), 'utf8');
  assert.match(
    said,
    /^\["--old-composes","--schema-override=\/etc\/all.json","--schema-override=\/etc\/own.json","\/.*\/pungi.json"\]/,
  );
  assert.deepEqual(steps, [
    '60 seconds',
    'pungi',
    'pungi init',
    'pungi pkgset',
    'pungi gather',
    'pungi createrepo',
  ]);
});

test('a configuration that is not valid is told, and Pungi does not run', async () => {
  const { directory, made } = run('stand_in_invalid = True');
  await assert.rejects(made, {
    code: 'pungi.validation_failed',
    message: /Failed validation in check_deps: 'yes' is not of type 'boolean'/,
  });
  assert.ok(!existsSync(join(directory, 'pungi-stderr.log')));
});

test('programs that are not there are told by their names', async () => {
  const programs = { pungi, validate: '', python: 'python3' };
  const absent = { ...programs, pungi: '/nowhere/pungi-koji' };
  await assert.rejects(run('', { programs: absent }).made, {
    code: 'pungi.program_missing',
    message: /\/nowhere\/pungi-koji/,
  });
  await assert.rejects(run('', { programs: { ...programs, validate: 'odcs-no-such-program' } }).made, {
    code: 'pungi.program_missing',
    message: /odcs-no-such-program/,
  });
});

test('whoever gives up gets its reason at once', async () => {
  const abort = new AbortController();
  const { made } = run(
    'stand_in = "ends in peace"',
    {},
    {
      signal: abort.signal,
      progress(stage) {
        if (stage === 'pungi pkgset') abort.abort(new Error('enough'));
      },
    },
  );
  await assert.rejects(made, /enough/);
});
