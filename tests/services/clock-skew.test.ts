import assert from 'node:assert/strict';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { startServe, type ServeProcess } from '../composer/serve-process.ts';
import { postCompose, waitForEnd } from '../composer/service-calls.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql, type PostgresqlService } from './postgresql.ts';

const packages = ensurePackages([...postgresqlPackages, 'faketime']);
const skip = packages.ready ? false : packages.reason;
const folder = mkdtempSync(join(tmpdir(), 'odcs-skew-'));
const repository = join(folder, 'repository');

let postgresql: PostgresqlService;
let ahead: ServeProcess;
let behind: ServeProcess;
before(async () => {
  if (!packages.ready) return;
  postgresql = await startPostgresql();
  await createDemoRepository(repository).add('base', new Date('2026-11-22T10:00:00Z'));
  mkdirSync(join(folder, 'rules'));
  writeFileSync(
    join(folder, 'rules/image.yaml'),
    `version: 1
name: image
owner: tests
description: Composes whenever the repository changes.
on:
  - event: repo.changed
    match: { repo: ${repository} }
settle: 4s
max_wait: 60s
min_interval: 6s
series: image
unchanged: compose
compose:
  source: { type: repo, source: "\${event.repo}", packages: [curl] }
`,
  );
  ahead = await startService('ahead', '+600s', 'api,listener,rules,janitor');
  behind = await startService('behind', '-600s', 'api,listener,composer');
});
after(async () => {
  if (!packages.ready) return;
  await Promise.all([ahead.end('SIGKILL'), behind.end('SIGKILL')]);
  await postgresql.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a process whose machine's clock is off. */
function startService(name: string, offset: string, roles: string): Promise<ServeProcess> {
  const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1');
  assert.ok(library !== undefined && existsSync(library));
  return startServe({
    LD_PRELOAD: library,
    FAKETIME: offset,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_RESET: '1',
    ODCS_DATABASE_URL: postgresql.url,
    ODCS_DATA_DIR: join(folder, name),
    ODCS_TARGET_DIR: join(folder, 'composes'),
    ODCS_RULES_DIR: join(folder, 'rules'),
    ODCS_ROLES: roles,
  });
}

async function changeRepository(service: ServeProcess): Promise<void> {
  const response = await fetch(`${service.url}/api/1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'repo.changed', body: { repo: repository } }),
  });
  assert.equal(response.status, 202);
}

async function ask<T extends object>(statement: string): Promise<T[]> {
  const client = new Client({ connectionString: postgresql.url });
  await client.connect();
  try {
    return (await client.query<T>(statement)).rows;
  } finally {
    await client.end();
  }
}

test('each says by how much its clock is off, and works all the same', { skip }, async () => {
  for (const [service, direction] of [
    [ahead, 'ahead of'],
    [behind, 'behind'],
  ] as const) {
    const health = await (await fetch(`${service.url}/api/1/health`)).text();
    assert.match(health, new RegExp(`clock is (599|600|601)\\.\\d seconds ${direction} the database`));
    assert.equal((await fetch(`${service.url}/ready`)).status, 200);
  }
});

test(
  'events that two such processes take in settle in one window, and min_interval is kept',
  { skip },
  async () => {
    const windows = () =>
      ask<{ seconds: number; events: number }>(
        `select extract(epoch from closed_at - last_at)::float as seconds from settle_windows
       where closed_at is not null order by id`,
      );
    const started = () =>
      ask<{ at: Date }>(
        'select started_at as at from compose_requests where started_at is not null order by id',
      );
    for (const service of [ahead, behind, ahead, behind]) await changeRepository(service);
    while ((await started()).length < 1) await pause(100);
    const [first, ...others] = await windows();
    assert.equal(others.length, 0, 'the four events fell into more than one window');
    assert.ok(
      first !== undefined && first.seconds >= 4 && first.seconds < 60,
      `closed after ${first?.seconds} s`,
    );
    await changeRepository(behind);
    while ((await started()).length < 2) await pause(100);
    const [early, late] = await started();
    assert.ok(early !== undefined && late !== undefined);
    const apart = (late.at.getTime() - early.at.getTime()) / 1000;
    assert.ok(apart >= 6 && apart < 90, `the requests began ${apart} s apart`);
  },
);

test('a compose lives as long as it was asked to', { skip }, async () => {
  const asked = await postCompose(behind.url, {
    source: { type: 'repo', source: repository, packages: ['curl'] },
    seconds_to_live: 30,
    // The directory of another would live as long as that one.
    flags: ['no_reuse'],
  });
  const done = await waitForEnd(behind.url, asked.id);
  assert.equal(done.state_name, 'done', done.state_reason ?? '');
  const lived = () =>
    ask<{ seconds: number | null }>(
      `select extract(epoch from time_removed - time_submitted)::float as seconds
       from composes where id = ${asked.id}`,
    );
  while ((await lived())[0]?.seconds === null) await pause(250);
  const [row] = await lived();
  assert.ok(row?.seconds != null && row.seconds >= 30 && row.seconds < 120, `it lived ${row?.seconds} s`);
});
