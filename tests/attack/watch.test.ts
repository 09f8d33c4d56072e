import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import type { Harm } from './attack.ts';
import { Watch } from './watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-watch-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const patience = { silence: 500, busySeconds: 0.2 };

let service: ChildProcess | undefined;
let watch: Watch | undefined;
afterEach(async () => {
  await watch?.stop();
  service?.kill('SIGKILL');
});

/** A service that answers, until its first answer has gone out; then it does what is said. */
async function startService(afterwards: string): Promise<{ readonly url: string; readonly pid: number }> {
  const program = `
    import { createServer } from 'node:http';
    import { readFileSync } from 'node:fs';
    let count = 0;
    const server = createServer((request, response) => {
      count += 1;
      response.end('ok', () => { if (count === 1) setImmediate(() => { ${afterwards} }); });
    });
    server.listen(0, '127.0.0.1', () => process.stdout.write(String(server.address().port)));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  service = child;
  assert.ok(child.stdout);
  const [port]: unknown[] = await once(child.stdout, 'data');
  return { url: `http://127.0.0.1:${String(port)}`, pid: child.pid ?? 0 };
}

/** Watches a service and returns the first harm that is reported. */
async function firstHarm(afterwards: string): Promise<Harm> {
  const found = Promise.withResolvers<Harm>();
  const target = await startService(afterwards);
  watch = new Watch({ ...target, patience }, null, (harm) => found.resolve(harm));
  return found.promise;
}

test('a service that computes for ever is frozen', async () => {
  assert.equal(await firstHarm('for (;;);'), 'frozen');
});

test('a service that waits for ever is frozen', async () => {
  const wait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';
  assert.equal(await firstHarm(wait), 'frozen');
});

test('the attack that froze a service is ended', async () => {
  const target = await startService('for (;;);');
  watch = new Watch({ ...target, patience }, null, () => undefined);
  const signal = watch.begin();
  if (!signal.aborted) await once(signal, 'abort');
  assert.ok(watch.isFrozen);
});

test('what changes in a published compose and beside the target directory has escaped, once', async () => {
  const target = await startService('');
  const published = join(folder, 'srv/composes/odcs-1');
  for (const name of [published, join(folder, 'private'), join(folder, 'good')]) {
    mkdirSync(name, { recursive: true });
  }
  writeFileSync(join(published, 'repomd.xml'), 'a');
  const reports: string[] = [];
  watch = new Watch(target, { directory: folder, victim: 1 }, (harm, detail) =>
    reports.push(`${harm} ${detail}`),
  );
  watch.check();
  assert.deepEqual(reports, []);
  writeFileSync(join(published, 'repomd.xml'), 'b');
  mkdirSync(join(folder, 'srv/pwned'));
  watch.check();
  watch.check();
  assert.deepEqual(reports, [
    'escaped a published compose was changed: repomd.xml',
    'escaped outside the target directory: srv/pwned',
  ]);
});
