import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { command } from '../../src/commands/events.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startReactor } from '../../src/app/reactor.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';

test('messages are given to a started service, followed, listed, shown and given again', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'events-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'tag.json');
  const topic = 'org.centos.prod.buildsys.tag';
  const body = { tag: 'c10s', name: 'ed', version: '1', release: '2' };
  writeFileSync(file, JSON.stringify({ bus: 'fedora-messaging', topic, id: 'one', headers: {}, body }));
  const data_dir = await makeDataDirectory(join(directory, 'data'));
  const overrides = { data_dir, target_dir: join(directory, 'composes'), port: 0 };
  const { config } = loadConfig({ file: undefined, environment: {}, overrides });
  await using reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  const run = async (...argv: string[]): Promise<string> => {
    let out = '';
    const stdout = (text: string): void => void (out += text);
    const signal = new AbortController().signal;
    const environment = { ODCS_SERVER: reactor.url };
    const code = await command.run({
      argv,
      stdout,
      stderr: () => undefined,
      environment,
      isTerminal: false,
      signal,
    });
    assert.equal(code, 0);
    return out;
  };
  assert.equal(await run('receive', file), `${file}: event 1\n`);
  assert.equal(await run('receive', file), `${file}: stored before\n`);
  assert.match(await run('tail'), /^1 \S+ webhook koji\.tag nvr=ed-1-2 .*tag=c10s/);
  const shown: { instance?: unknown; raw?: unknown } = JSON.parse(await run('show', '1', '--json'));
  assert.equal(shown.instance, 'centos');
  const told = await run('show', '1');
  assert.match(told, /^event 1 {2}koji\.tag\n {2}received +\S+Z\n/);
  assert.match(
    told,
    /\n {2}nvr +ed-1-2\n[^]*\nNo rule decided anything about it: odcs-reactor rules explain/,
  );
  assert.match(await run('replay', '1'), /^event \d+\n$/);
  assert.equal((await run('tail', '--kind', 'koji.tag')).trim().split('\n').length, 2);

  const abort = new AbortController();
  const stream = await fetch(`${reactor.url}/api/1/events/stream?after=0`, { signal: abort.signal });
  let text = '';
  for await (const chunk of stream.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.split('event: event').length > 2) break;
  }
  abort.abort();
  const frames = text.split('\n\n').filter((frame) => frame.includes('event: event'));
  assert.equal(frames.length, 2, text);
  assert.match(frames[0] ?? '', /^id: 1\nevent: event\ndata: \{/);
});
