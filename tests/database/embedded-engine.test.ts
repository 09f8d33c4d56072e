// Runs once: only the embedded database is looked at.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeEmbeddedDatabase } from '../../src/database/embedded-engine.ts';
import { makeDataDirectory } from './embedded-snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-embedded-engine-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const engine = JSON.stringify(join(import.meta.dirname, '../../src/database/embedded-engine.ts'));

test('opening a database and a hundred queries take less than 320 MB', async () => {
  const directory = join(await makeDataDirectory(join(folder, 'small')), 'database');
  const script = `
    const { openEmbeddedEngine } = await import(${engine});
    const engine = await openEmbeddedEngine({ dataDir: ${JSON.stringify(directory)} });
    for (let at = 0; at < 100; at += 1) {
      await engine.query("select count(*) from composes where owner like $1", ['%' + at + '%']);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    console.log(process.resourceUsage().maxRSS / 1024);
    await engine.close();`;
  const peak = Number(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
  assert.ok(peak > 0 && peak < 320, `${peak} MB`);
});

test('what is young gets no more room with the embedded database, though much of it survives', async () => {
  const directory = join(await makeDataDirectory(join(folder, 'young')), 'database');
  const script = `
    const { getHeapSpaceStatistics } = await import('node:v8');
    const { openEmbeddedEngine } = await import(${engine});
    const engine = await openEmbeddedEngine({ dataDir: ${JSON.stringify(directory)} });
    const young = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20;
    const before = young();
    const kept = [];
    // While a collection goes on there is room for what it moves, too: room that was given stays between them.
    let least = Infinity;
    for (let at = 0; at < 1e6; at += 1) {
      kept.push({ at, name: 'object ' + at });
      if (at > 5e5 && at % 1e4 === 0) least = Math.min(least, young());
    }
    console.log(least <= Math.max(before, 2) ? kept.length : least);
    await engine.close();`;
  const grown = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(Number(grown), 1e6);
});

test('a database that was made with more pages in memory is brought to fewer', async () => {
  const directory = join(await makeDataDirectory(join(folder, 'older')), 'database');
  const file = join(directory, 'postgresql.conf');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^shared_buffers = \S+/m, 'shared_buffers = 128MB'));
  await makeEmbeddedDatabase(directory);
  assert.match(readFileSync(file, 'utf8'), /^shared_buffers = 32MB\s/m);
});

test('a database whose making was killed is made anew, and shown only when it is whole', async () => {
  const directory = join(folder, 'killed', 'database');
  mkdirSync(join(folder, 'killed'));
  const script = `const { makeEmbeddedDatabase } = await import(${engine}); await makeEmbeddedDatabase(${JSON.stringify(directory)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    detached: true,
    stdio: 'ignore',
  });
  while (!existsSync(join(`${directory}.new`, 'base')))
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(existsSync(directory), false);
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await once(child, 'close');
  assert.equal(existsSync(directory), false);
  await makeEmbeddedDatabase(directory);
  assert.match(readFileSync(join(directory, 'PG_VERSION'), 'utf8'), /^\d+/);
  assert.equal(existsSync(`${directory}.new`), false);
});

test('a database that cannot be made is said with what to do', async () => {
  const directory = join(folder, 'full', 'database');
  mkdirSync(join(folder, 'full'));
  const child = `
    const { makeEmbeddedDatabase } = await import(${engine});
    await makeEmbeddedDatabase(${JSON.stringify(directory)}).catch((error) => console.log(error.code, error.message, error.hint));`;
  // So that no file of the engine can be written.
  const said = execFileSync(
    'bash',
    ['-c', 'ulimit -f 8; exec "$@"', 'bash', process.execPath, '--input-type=module', '-e', child],
    { encoding: 'utf8' },
  );
  assert.match(said, /^database\.not_made The embedded database could not be made: .*ODCS_DATA_DIR/);
  assert.equal(existsSync(directory), false);
  assert.equal(existsSync(`${directory}.new`), false);
});
