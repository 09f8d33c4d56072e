// Runs once: clients are generated from the description of addresses, which no database decides.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startReactor } from '../../src/app/reactor.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';
import { ensurePackages } from '../services/debian-packages.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
let directory: string;
let repository: string;
let clients: string;
let reactor: Awaited<ReturnType<typeof startReactor>>;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'clients-'));
  repository = join(directory, 'repository');
  clients = join(directory, 'clients');
  await createDemoRepository(repository).add('base', systemClock.now());
  const overrides = {
    data_dir: await makeDataDirectory(join(directory, 'data')),
    target_dir: join(directory, 'composes'),
    port: 0,
  };
  const { config } = loadConfig({ file: undefined, environment: {}, overrides });
  reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  await run(process.execPath, [join(root, 'clients/generate.ts'), reactor.url, clients]);
});
after(async () => {
  await reactor[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

test('a client in TypeScript compiles, asks for a compose and has it', async () => {
  copyFileSync(join(import.meta.dirname, 'use-client.ts.txt'), join(clients, 'use-client.ts'));
  symlinkSync(join(root, 'node_modules'), join(clients, 'node_modules'));
  writeFileSync(join(clients, 'package.json'), '{"type":"module"}');
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'esnext',
    noEmit: true,
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
    types: ['node'],
  };
  writeFileSync(
    join(clients, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['use-client.ts'] }),
  );
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout: complaints } = await run(process.execPath, [compiler, '-p', clients]).catch(
    (error: { stdout: string }) => error,
  );
  assert.equal(complaints, '');
  const { stdout } = await run(process.execPath, [join(clients, 'use-client.ts'), reactor.url, repository]);
  assert.deepEqual(JSON.parse(stdout), { state: 'done', ids: [true], code: 'series.not_found' });
});

test('a client in Python passes mypy, asks for a compose and follows it to its end', async (context) => {
  const packages = ensurePackages(['mypy', 'python3']);
  if (!packages.ready) return context.skip(packages.reason);
  copyFileSync(join(import.meta.dirname, 'use-client.py'), join(clients, 'use_client.py'));
  const { stdout: complaints } = await run('mypy', ['--strict', '--no-error-summary', 'use_client.py'], {
    cwd: clients,
  }).catch((error: { stdout: string }) => error);
  assert.equal(complaints, '');
  const { stdout } = await run('/usr/bin/python3', ['use_client.py', reactor.url, repository], {
    cwd: clients,
  });
  assert.deepEqual(JSON.parse(stdout), {
    state: 'done',
    last: 'done',
    ids: [true],
    manifest: true,
    code: 'series.not_found',
  });
});
