// Runs once: no database decides what documents say.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startReactor } from '../src/app/reactor.ts';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { makeDataDirectory } from './database/embedded-snapshot.ts';
import { blocks, commandsOf, shellLines } from './docs-lines.ts';
import { notRun } from './docs-not-run.ts';
import { until } from './listeners/listening.ts';
import { ensurePackages } from './services/debian-packages.ts';
import { makeDnfHost } from './services/dnf-host.ts';

const root = join(import.meta.dirname, '..');
const needed = ensurePackages(['curl', 'createrepo-c', 'dnf', 'git', 'openssl', 'rpm']);
const needsPackages = needed.ready ? {} : { skip: needed.reason };
const directory = mkdtempSync(join(tmpdir(), 'docs-running-'));
mkdirSync(join(directory, 'my-rules'));
for (const name of ['examples', 'rules']) symlinkSync(join(root, name), join(directory, name));

async function startService(name: string, overrides: Readonly<Record<string, unknown>>) {
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      data_dir: await makeDataDirectory(join(directory, name)),
      target_dir: join(directory, `${name}-composes`),
      arches: ['x86_64'],
      port: 0,
      ...overrides,
    },
  });
  const started = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  after(() => started.stop());
  return started;
}
after(() => rmSync(directory, { recursive: true, force: true }));
const reactor = await startService('data', { rules_dir: join(directory, 'my-rules') });

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** Runs lines in bash as a reader does who has the program, with the service of this test for the one of the page. */
function run(lines: string, environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const main = `"${process.execPath}" "${join(root, 'src/main.ts')}"`;
  const script = `odcs-reactor() { ${main} "$@"; }
npx() { "$@"; }
${lines.replaceAll(/http:\/\/(?:127\.0\.0\.1|localhost):5005|https:\/\/odcs\.example\.com/g, reactor.url)}
`;
  const author = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.com' };
  const committer = { GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com' };
  return new Promise((resolve, reject) => {
    const shell = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: directory,
      env: {
        ...process.env,
        ODCS_SERVER: reactor.url,
        HOME: directory,
        NO_COLOR: '1',
        ...author,
        ...committer,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (text: Buffer) => (output += text));
    shell.on('error', reject);
    shell.on('close', (code) => resolve({ code, output }));
  });
}

/** Runs lines that have to end well; returns what they said. */
async function runWell(lines: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, output } = await run(lines, environment);
  assert.equal(code, 0, `${lines}\n${output}`);
  return output;
}

/** Lines that a test takes, so that the last test knows which none does. */
const taken = new Set<string>();

/** Takes the lines of a page that begin as is said, in the order of the page; each beginning has one. */
function take(file: string, ...starts: readonly string[]): readonly string[] {
  const found = shellLines.filter(
    (line) => line.file === file && starts.some((start) => line.text.startsWith(start)),
  );
  for (const start of starts)
    assert.ok(
      found.some(({ text }) => text.startsWith(start)),
      `${file} has no line that begins with "${start}"`,
    );
  for (const { text } of found) taken.add(`${file}: ${text}`);
  return found.map(({ text }) => text);
}

/** The base of the demo, which a host has installed, and the update with its advisory, in one repository. */
const demo = join(directory, 'demo');
const host = makeDnfHost(join(directory, 'host'));
const osOf = (id: number | string): string =>
  `${reactor.url}/composes/odcs-${id}/compose/Temporary/x86_64/os`;
const useCompose = (id: number | string): void =>
  host.useRepoFile(`[odcs]\nname=odcs\nbaseurl=${osOf(id)}\ngpgcheck=0\n`);

test('who follows the README comes to a rule that composes', async () => {
  const lines = take('README.md', 'cp ', 'npx odcs-reactor compose create');
  const composed = await runWell(lines.join('\n'));
  assert.match(composed, /compose 1 {2}done\n {2}of +repo .*\/demo\n {2}packages +curl\n/);
  const [repoquery = ''] = take('README.md', 'dnf ');
  const [, ...words] = commandsOf(repoquery.replaceAll('http://127.0.0.1:5005', reactor.url))[0] ?? [];
  if (needed.ready) {
    const read = await host.run(words);
    assert.equal(read.status, 0, read.output);
    assert.match(read.output, /^curl-0:8\.9\.1-2\.x86_64$/m);
  }
  const rule = take('README.md', 'npx odcs-reactor rules new', 'sed ');
  await runWell([...rule, "sed -i 's/settle: 1m/settle: 1s/' my-rules/follow-demo.yaml"].join('\n'));
  await until(
    async () => (await run('odcs-reactor rules list')).output.includes('follow-demo  active'),
    'the rule runs',
  );
  await runWell(take('README.md', 'curl ').join('\n'));
  const [decisions = ''] = take('README.md', 'npx odcs-reactor rules decisions');
  await until(
    async () => /follow-demo: composed\. Compose 2 was made\./.test((await run(decisions)).output),
    'the rule composed',
  );
  const [find = ''] = take('README.md', 'npx odcs-reactor find');
  assert.match(await runWell(find), /follow-demo +2 +curl-0:8\.9\.1-2\.x86_64/);
});

test('the call of the page about the API asks for a compose', async () => {
  const [call = ''] = take('docs/api.md', 'curl ');
  const output = await runWell(call.replace('curl ', 'curl -sS --fail-with-body '));
  assert.match(output, /"state_name":"wait"/);
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
  const lines = [
    ...take('docs/command-line.md', 'odcs-reactor compose', 'odcs-reactor image', 'odcs-reactor rules'),
    ...take('docs/command-line.md', 'source '),
  ];
  assert.ok(lines.length > 10);
  for (const line of lines) {
    const given = standIns.reduce((words, [before, now]) => words.replaceAll(before, now), line);
    const { code, output } = await run(given);
    const [, expected, says] = refused.find(([pattern]) => pattern.test(line)) ?? [null, 0, /^/];
    assert.equal(code, expected, `${given}\n${output}`);
    assert.match(output, says);
  }
});

const advisory = `<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="updates@example.com" status="stable" type="security" version="2.0">
  <id>FEDORA-2026-0123456789</id><title>openssl</title><issued date="2026-11-01 10:00:00"/>
  <severity>Important</severity><description>A fix.</description>
  <references><reference href="https://example.com/1" id="CVE-2026-10001" title="CVE-2026-10001" type="cve"/></references>
  <pkglist><collection short="X"><name>X</name>
    <package name="openssl-libs" version="3.2.1" release="2" epoch="0" arch="x86_64"
      src="openssl-3.2.1-2.src.rpm"><filename>openssl-libs-3.2.1-2.x86_64.rpm</filename></package>
  </collection></pkglist></update></updates>
`;

test(
  'an image is locked, told of and seen to change, as the page about containers says',
  needsPackages,
  async () => {
    const page = 'docs/containers.md';
    const body = blocks.find(({ file, language }) => file === page && language === 'json')?.text ?? '';
    const own: readonly [string, string][] = [
      ['https://updates.example.com/44/$basearch', demo],
      ['"x86_64", "aarch64"', '"x86_64"'],
    ];
    for (const [before] of own) assert.ok(body.includes(before), before);
    writeFileSync(
      join(directory, 'base-images.json'),
      own.reduce((text, [before, now]) => text.replace(before, now), body),
    );
    const [create = ''] = take(page, 'odcs-reactor compose create');
    assert.match(await runWell(create), /done/);
    await runWell(take(page, 'curl -fo odcs.repo').join('\n'));
    assert.match(
      readFileSync(join(directory, 'odcs.repo'), 'utf8'),
      /^baseurl=.*\/series\/base-images\/latest\//m,
    );

    useCompose(1);
    const installed = await host.run(['install', 'openssl-libs']);
    assert.equal(installed.status, 0, installed.output);
    // The image that rpm is asked of is a root of this machine.
    const inImage = 'podman run --rm registry.example.com/base rpm -qa';
    const [listing = ''] = take(page, 'podman run');
    assert.ok(listing.startsWith(inImage));
    // Debian's rpm keeps its database below the home of who calls it, as dnf did.
    await runWell(listing.replace(inImage, `rpm --root ${host.root} -qa`), { HOME: homedir() });
    assert.match(readFileSync(join(directory, 'installed.txt'), 'utf8'), /^openssl-libs-3\.2\.1-1\.x86_64$/m);
    await runWell('git init --quiet .');
    await runWell(take(page, 'odcs-reactor compose lock', 'git add').join('\n'));
    assert.equal(await runWell('git diff --cached --name-only'), 'rpms.lock.yaml\n');
    const lock = readFileSync(join(directory, 'rpms.lock.yaml'), 'utf8');
    assert.match(lock, /nginx-1\.26\.2-1\.x86_64\.rpm/);
    await runWell(take(page, 'odcs-reactor lock update').join('\n'));
    assert.equal(readFileSync(join(directory, 'rpms.lock.yaml'), 'utf8'), lock);

    for (const line of take(page, 'odcs-reactor compose sbom')) await runWell(line.replaceAll('17', '2'));
    await runWell('cp compose-2.cdx.json httpd.cdx.json; cp installed.txt rpm-qa.txt');
    // The repository has nginx instead of httpd, and is of one arch.
    const image = 'odcs-reactor image set httpd-24 --series base-images';
    const ways = ['--lock rpms.lock.yaml', '--sbom httpd', '--installed', '--asks'];
    const told = take(page, ...ways.map((way) => `${image} ${way}`)).map((line) =>
      line.replace('httpd,mod_ssl', 'nginx').replace(/--arch .*aarch64/, '--arch x86_64'),
    );
    assert.equal(told.length, 4);
    for (const line of told) assert.match(await runWell(line), /^httpd-24 of base-images: .*x86_64: [1-9]/m);

    cpSync(join(root, 'examples/demo/update'), demo, { recursive: true });
    writeFileSync(join(directory, 'updateinfo.xml'), advisory);
    await runWell('odcs-reactor createrepo demo; modifyrepo_c updateinfo.xml demo/repodata');
    const newest = (await runWell(`${create} --output name 2>/dev/null`)).trim();
    const [changed = ''] = take(page, 'odcs-reactor image changed');
    const { code, output } = await run(changed.replace('18', newest));
    assert.equal(code, 1, output);
    assert.match(
      output,
      /^httpd-24\n +openssl-libs .*3\.2\.1-1 -> .*3\.2\.1-2 .*\(FEDORA-2026-0123456789\)/m,
    );
    assert.match(output, /^1 of 1 images would change\.$/m);

    const updates = take('docs/updateinfo.md', 'dnf ');
    useCompose(newest);
    assert.equal(updates.length, 4);
    for (const line of updates) {
      // Each on the host as it was, for the first upgrade leaves nothing to the others.
      const fresh = makeDnfHost(join(directory, `host-${updates.indexOf(line)}`));
      cpSync(host.root, fresh.root, { recursive: true, verbatimSymlinks: true });
      const [, ...words] = commandsOf(line)[0] ?? [];
      const ran = await fresh.run(words);
      assert.equal(ran.status, 0, `${line}\n${ran.output}`);
      assert.match(
        ran.output,
        line.includes(' list ')
          ? /^FEDORA-2026-0123456789 .*openssl-libs-3\.2\.1-2/m
          : /Upgraded:\n +openssl-libs-3\.2\.1-2/,
      );
    }
  },
);

test('the rule of the page about main composes is copied, and passes the check', async () => {
  const page = 'docs/main-composes.md';
  const place = join(directory, 'etc-rules');
  mkdirSync(place);
  const lines = take(page, 'sed ', 'odcs-reactor rules check').join('\n');
  assert.match(await runWell(lines.replaceAll('/etc/odcs/rules', place)), /nightly-if-changed \(active\)/);
  const [repoFile = ''] = take(page, 'curl -O http://localhost:5005/composes/series/eln');
  await runWell(repoFile.replace('/eln/', '/follow-demo/').replace('curl ', 'curl -f '));
  assert.match(readFileSync(join(directory, 'latest.repo'), 'utf8'), /^baseurl=/m);
});

test('the tokens of the page about operations are made, listed and revoked', async () => {
  const environment = { ODCS_DATA_DIR: await makeDataDirectory(join(directory, 'tokens')) };
  const [create = '', list = '', revoke = ''] = take('docs/operations.md', 'odcs-reactor token');
  assert.match(await runWell(create, environment), /^odcs_1_/m);
  assert.match(await runWell(list, environment), /^1 valid "nightly images": osbs of builders/m);
  assert.match(await runWell(revoke.replace('7', '1'), environment), /^Token 1 of osbs is revoked\.$/m);
});

test('messages of your own are taken, signed ones only where there is a token', needsPackages, async () => {
  const page = 'docs/rules.md';
  const [plain = ''] = take(page, 'curl -X POST http://127.0.0.1:5005');
  const failing = (line: string): string => line.replace('curl ', 'curl -sS --fail-with-body ');
  await runWell(failing(plain));
  const token = 'a token of this test';
  const listener = await startService('signed', { event_token: token, roles: ['api', 'listener'] });
  const signed = take(page, 'body=', 'signature=', 'curl -X POST https://odcs.example.com').map((line) =>
    failing(line.replace('https://odcs.example.com', listener.url)),
  );
  await runWell(signed.join('\n'), { ODCS_EVENT_TOKEN: token });
  const { code, output } = await run(signed.join('\n'), { ODCS_EVENT_TOKEN: 'another' });
  assert.notEqual(code, 0);
  assert.match(output, /event\.unauthorized/);
});

test('an older version is checked out beside, as the page about security says', needsPackages, async () => {
  const [line = ''] = take('docs/security.md', 'git worktree');
  const repository = join(directory, 'checkout/reactor');
  mkdirSync(repository, { recursive: true });
  const before = 'git init --quiet . && git commit --quiet --allow-empty --message first';
  await runWell(`cd ${repository}; ${before}; ${line.replace('28acd0c', 'HEAD')}`);
  assert.match(await runWell(`cd ${repository}; git worktree list`), /checkout\/older/);
});

test(
  'every other line stands in the list of those that are not run here, with the reason',
  needsPackages,
  () => {
    const lines = shellLines.map(({ file, text }) => `${file}: ${text}`).filter((line) => !taken.has(line));
    const isListed = (line: string): boolean => notRun.some(({ start }) => line.startsWith(start));
    assert.deepEqual(
      lines.filter((line) => !isListed(line)),
      [],
    );
    const named = notRun.flatMap(({ why }) => why.match(/\b(?:tests|packaging)\/[\w./-]*\w/g) ?? []);
    assert.deepEqual(
      named.filter((place) => !existsSync(join(root, place))),
      [],
    );
    assert.deepEqual(
      notRun.filter(({ start }) => !lines.some((line) => line.startsWith(start))),
      [],
    );
  },
);
