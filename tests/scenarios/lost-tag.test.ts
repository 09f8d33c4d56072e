import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../../src/log.ts';
import { startReactor, type Reactor } from '../../src/app/reactor.ts';
import { until } from '../listeners/listening.ts';
import { sharedPath } from '../shared.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { kojiServiceConfig } from './koji-service-config.ts';

async function cursorOf({ database }: Reactor): Promise<number | undefined> {
  const row = await database.kysely
    .selectFrom('reconcile_cursors')
    .select('position')
    .where('source', '=', 'koji')
    .executeTakeFirst();
  return row?.position.event;
}

async function eventsOf({ database }: Reactor): Promise<string[]> {
  const rows = await database.kysely.selectFrom('events').selectAll().orderBy('id').execute();
  return rows.map(({ bus, instance, event }) =>
    event?.kind === 'koji.tag' ? `${bus} ${instance} ${event.tag} ${event.nvr}` : 'another',
  );
}

test('a tagging whose message was lost is found at the start, once, and its build is read', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'lost-tag-'));
  const state = new StateHub();
  const hub = await startHubServer(state.answer);
  context.after(async () => {
    await hub.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const topDir = sharedPath('pungi', 'koji-topdir');
  const profile = { server: hub.url, topdir: topDir };
  const config = await kojiServiceConfig(directory, profile, { upstream_instance: 'centos' });
  let seconds = state.now;
  const clock = { now: () => new Date(seconds * 1000) };
  const start = (): Promise<Reactor> => startReactor({ config, clock, log: createLog('silent') });

  const first = await start();
  await until(async () => (await cursorOf(first)) !== undefined, 'the first look');
  assert.deepEqual(await eventsOf(first), []);
  await first.stop();

  const lost = state.tag('f-small', 'e-tie-b-1-1');
  seconds += 3600;
  const second = await start();
  await until(async () => (await cursorOf(second)) === lost, 'the second look');
  const found = ['internal centos f-small e-tie-b-1-1'];
  assert.deepEqual(await eventsOf(second), found);
  const isRead = (): boolean => hub.calls.some(({ method }) => method === 'listBuildRPMs');
  await until(isRead, 'the build is read before a compose asks');
  await second.stop();

  state.now = seconds;
  const last = state.tag('f-small', 'e-lib-1-1');
  seconds += 10;
  await using third = await start();
  await until(async () => (await cursorOf(third)) === last, 'the third look');
  assert.deepEqual(await eventsOf(third), found, 'the youngest is left to the bus, the known is not doubled');
});
