import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { request as requestHttp } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { startReactor } from '../../src/app/reactor.ts';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { postCompose, waitForEnd } from '../composer/service-calls.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';
import { startFakePulp } from '../upstream/pulp/fake-pulp.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { ensurePackages } from './debian-packages.ts';

const packages = ensurePackages(['dnf', 'openssl']);
const needsPackages = packages.ready ? {} : { skip: packages.reason };

/** Serves over HTTPS what a server answers, to clients with a certificate of the authority. */
async function startMutualTls(
  context: TestContext,
  target: string,
  certificates: Certificates,
): Promise<string> {
  const server = createServer(
    {
      key: readFileSync(certificates.server.key),
      cert: readFileSync(certificates.server.certificate),
      ca: readFileSync(certificates.authority),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (incoming, response) => {
      const { method, headers, url } = incoming;
      const passed = requestHttp(new URL(url ?? '', target), { method, headers });
      passed.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      incoming.pipe(passed);
    },
  );
  const port = await new Promise<number>((resolve) => {
    server.listen(0, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://localhost:${port}`;
}

/** What dnf says with nothing but the repositories of a `.repo` file. */
function dnf(folder: string, repoFile: string, ...words: readonly string[]): Promise<string> {
  const reposdir = mkdtempSync(join(folder, 'repos-'));
  writeFileSync(join(reposdir, 'odcs.repo'), repoFile);
  const root = mkdtempSync(join(folder, 'root-'));
  const options = { reposdir, cachedir: join(root, 'cache'), logdir: root, pluginpath: root };
  const fixed = Object.entries(options).map(([key, value]) => `--setopt=${key}=${value}`);
  return new Promise((resolve, reject) => {
    const child = spawn(
      'dnf',
      [`--installroot=${root}`, '--releasever=9', '--forcearch=x86_64', ...fixed, '-q', '-y', ...words],
      { env: { ...process.env, LC_ALL: 'C' } },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

test(
  'dnf reads what OSBS and Freshmaker get of Pulp over REST, which the service asks with its certificate',
  needsPackages,
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'odcs-pulp-dnf-'));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const content = createDemoRepository(join(folder, 'content'));
    await content.add('base', systemClock.now());
    const pulp = await startFakePulp(context, {
      version: 2,
      repositories: [
        {
          id: 'baseos-x86_64',
          path: 'content/9/x86_64/os',
          notes: { content_set: 'baseos', arch: 'x86_64', signatures: 'fd431d51' },
          directory: content.directory,
        },
      ],
    });
    mkdirSync(join(folder, 'tls'));
    const certificates = makeCertificates(join(folder, 'tls'), 'odcs');
    const pem = join(folder, 'odcs.pem');
    writeFileSync(
      pem,
      readFileSync(certificates.client.certificate, 'utf8') + readFileSync(certificates.client.key, 'utf8'),
    );
    const { config } = loadConfig({
      file: undefined,
      environment: {
        PULP_SERVER_URL: await startMutualTls(context, pulp.url, certificates),
        ODCS_PULP_CONTENT_URL: pulp.url,
        ODCS_PULP_CERTIFICATE: pem,
        ODCS_PULP_CA: certificates.authority,
      },
      overrides: {
        data_dir: await makeDataDirectory(join(folder, 'service')),
        port: 0,
        log_level: 'silent',
      },
    });
    const reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
    context.after(() => reactor.stop());
    const about = (await (await fetch(`${reactor.url}/api/1/about/`)).json()) as { source_types: string[] };
    assert.deepEqual(about.source_types, ['compose', 'pulp', 'pungi_compose', 'repo']);

    for (const flags of [[], ['use_only_compatible_arch']]) {
      const body = { source: { type: 'pulp', source: 'baseos', sigkeys: [] }, arches: ['x86_64'], flags };
      const { id } = await postCompose(reactor.url, body);
      const done = await waitForEnd(reactor.url, id);
      assert.equal(done.state_name, 'done', done.state_reason ?? '');
      const shown = (await (await fetch(`${reactor.url}/api/1/composes/${id}`)).json()) as {
        result_repofile: string;
        sigkeys: string;
        arches: string;
      };
      assert.deepEqual([shown.arches, shown.sigkeys], ['x86_64', 'fd431d51']);
      const repoFile = await (await fetch(shown.result_repofile)).text();
      assert.doesNotMatch(repoFile, /^#/m);
      const seen = await dnf(
        folder,
        repoFile,
        'repoquery',
        '--qf',
        'seen %{name} of %{repoid}',
        '--arch',
        'x86_64',
      );
      assert.deepEqual(
        seen
          .split('\n')
          .filter((line) => line.startsWith('seen'))
          .sort(),
        ['bash', 'curl', 'ed', 'libcurl', 'nginx', 'openssl', 'openssl-libs'].map(
          (name) => `seen ${name} of baseos`,
        ),
        seen,
      );
    }
  },
);
