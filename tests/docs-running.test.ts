// Runs once: no database decides what documents say.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startReactor } from '../src/app/reactor.ts';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { makeDataDirectory } from './database/embedded-snapshot.ts';
import { until } from './listeners/listening.ts';
import { ensurePackages } from './services/debian-packages.ts';

const root = join(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'docs-running-'));
mkdirSync(join(directory, 'my-rules'));
symlinkSync(join(root, 'examples'), join(directory, 'examples'));
const { config } = loadConfig({
  file: undefined,
  environment: {},
  overrides: {
    data_dir: await makeDataDirectory(join(directory, 'data')),
    target_dir: join(directory, 'composes'),
    rules_dir: join(directory, 'my-rules'),
    arches: ['x86_64'],
    port: 0,
  },
});
const reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
after(async () => {
  await reactor.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** Runs lines in bash as a reader does who has the program, with the service of this test for the one of the page. */
function run(lines: string): Promise<Ran> {
  const main = `"${process.execPath}" "${join(root, 'src/main.ts')}"`;
  const script = `odcs-reactor() { ${main} "$@"; }
npx() { "$@"; }
${lines.replaceAll('http://127.0.0.1:5005', reactor.url)}
`;
  return new Promise((resolve, reject) => {
    const shell = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: directory,
      env: { ...process.env, ODCS_SERVER: reactor.url, HOME: directory, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (text: Buffer) => (output += text));
    shell.on('error', reject);
    shell.on('close', (code) => resolve({ code, output }));
  });
}

/** The blocks of a part of a page, without languages. */
function blocksOf(page: string, head: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const part = text.slice(text.indexOf(`${head}\n`) + head.length).split('\n## ')[0] ?? '';
  return [...part.matchAll(/^```(?:sh)?\n(.*?)^```/gms)].map(([, block = '']) => block);
}

const dnf = ensurePackages(['dnf']);
/** What stands for a service of its own, and what needs a program that is not here. */
const isRun = (line: string): boolean =>
  !line.includes('odcs-reactor serve') && (dnf.ready || !line.startsWith('dnf '));

test('who follows the README comes to a rule that composes', async () => {
  const [serve, first = '', rule = '', event = ''] = blocksOf('README.md', '## Run it');
  assert.match(serve ?? '', /^npx odcs-reactor serve/);
  const composed = await run(first.split('\n').filter(isRun).join('\n'));
  assert.equal(composed.code, 0, composed.output);
  assert.match(composed.output, /compose 1 {2}done\n {2}of +repo .*\/demo\n {2}packages +curl\n/);
  if (dnf.ready) assert.match(composed.output, /^curl-0:8\.9\.1-2\.x86_64$/m);
  const written = await run(
    `${rule.split('\n').filter(isRun).join('\n')}sed -i 's/settle: 1m/settle: 1s/' my-rules/follow-demo.yaml`,
  );
  assert.equal(written.code, 0, written.output);
  await until(
    async () => (await run('odcs-reactor rules list')).output.includes('follow-demo  active'),
    'the rule runs',
  );
  const [told = ''] = event.split('\n');
  assert.equal((await run(told)).code, 0);
  await until(
    async () =>
      /follow-demo: composed\. Compose 2 was made\./.test((await run('odcs-reactor rules decisions')).output),
    'the rule composed',
  );
  const found = await run('odcs-reactor find curl');
  assert.match(found.output, /follow-demo +2 +curl-0:8\.9\.1-2\.x86_64/);
});

test('the call of the page about the API asks for a compose', async () => {
  const [call = ''] = blocksOf('docs/api.md', '## Asking for a compose');
  const { code, output } = await run(call.replace('curl ', 'curl -sS --fail-with-body '));
  assert.equal(code, 0, output);
  assert.match(output, /"state_name":"wait"/);
});

test('the lock file of the page about containers is made, and git takes it', async () => {
  const [block = ''] = blocksOf('docs/containers.md', '## Konflux: a lock file');
  const [installed = '', lock = '', add = ''] = block.trim().split('\n');
  assert.match(installed, /^podman run .* > installed\.txt$/);
  const { code, output } = await run(`git init -q scratch && cd scratch
printf 'setup-2.15-1.noarch\n' > installed.txt
${lock.replace('base-images', 'follow-demo').replace('nginx,openssl', 'curl')}
${add}
git status --short rpms.lock.yaml`);
  assert.equal(code, 0, output);
  assert.match(output, /^A {2}rpms\.lock\.yaml$/m);
});

/** What stands on the page for something of the reader's own, and for what of this service. */
const standIns: readonly [RegExp, string][] = [
  [/tag f44 httpd/g, 'repo demo ed'],
  [/rules explain base-images 4711/g, 'rules explain follow-demo 2'],
  [/\bbase-images\b/g, 'follow-demo'],
  [/\b16\b/g, '1'],
  [/\b17\b/g, '2'],
];
/** Lines that end with something else than 0, with what they say. */
const refused: readonly [RegExp, number, RegExp][] = [
  [/compose cancel/, 1, /is done: there is nothing to cancel/],
  [/compose delete/, 2, /Add --yes/],
];

test('every line of the page about the command line runs', async () => {
  const text = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
  const lines = [...text.matchAll(/^```sh\n(.*?)^```/gms)]
    .flatMap(([, block = '']) => block.trim().split('\n'))
    .filter((line) => line.startsWith('odcs-reactor ') && !line.includes('completion'));
  assert.ok(lines.length > 10);
  for (const line of lines) {
    const given = standIns.reduce((words, [before, now]) => words.replaceAll(before, now), line);
    const { code, output } = await run(given);
    const [, expected, says] = refused.find(([pattern]) => pattern.test(line)) ?? [null, 0, /^/];
    assert.equal(code, expected, `${given}\n${output}`);
    assert.match(output, says);
  }
});
