import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../../src/log.ts';
import { startReactor } from '../../src/app/reactor.ts';
import { until } from '../listeners/listening.ts';
import { sharedPath } from '../shared.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { ensurePackages } from './debian-packages.ts';
import { rabbitmqPackages, startRabbitmq } from './rabbitmq.ts';
import { kojiServiceConfig } from '../scenarios/koji-service-config.ts';

const packages = ensurePackages([...rabbitmqPackages]);
const options = packages.ready ? {} : { skip: packages.reason };

test('taggings whose messages were lost are found after each connection, once', options, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'reconcile-'));
  const state = new StateHub();
  const hub = await startHubServer(state.answer);
  const rabbitmq = await startRabbitmq();
  context.after(async () => {
    await rabbitmq.stop();
    await hub.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const topDir = sharedPath('pungi', 'koji-topdir');
  writeFileSync(
    join(directory, 'messaging.toml'),
    `amqp_url = "${rabbitmq.url}"\n[queues.odcs]\ndurable = true\n[[bindings]]\nqueue = "odcs"\nexchange = "amq.topic"\nrouting_keys = ["#"]\n`,
  );
  const profile = { server: hub.url, topdir: topDir };
  const config = await kojiServiceConfig(directory, profile, {
    roles: ['listener'],
    fedora_messaging_config: join(directory, 'messaging.toml'),
  });
  let seconds = state.now;
  const clock = { now: () => new Date(seconds * 1000) };
  await using reactor = await startReactor({ config, clock, log: createLog('silent') });
  const { kysely } = reactor.database;
  const looked = (event: number): Promise<true> =>
    until(async () => {
      const row = await kysely.selectFrom('reconcile_cursors').select('position').executeTakeFirst();
      return row?.position.event === event;
    }, `the look up to event ${event}`);
  const stored = async (): Promise<string[]> => {
    const rows = await kysely.selectFrom('events').selectAll().orderBy('id').execute();
    return rows.map(({ bus, instance, event }) =>
      event?.kind === 'koji.tag' ? `${bus} ${instance} ${event.nvr}` : 'another',
    );
  };
  await looked(4242);

  const first = state.tag('f-small', 'e-tie-b-1-1');
  seconds += 3600;
  await rabbitmq.control('close_all_connections', 'test');
  await looked(first);
  assert.deepEqual(await stored(), ['internal fedora e-tie-b-1-1']);

  state.now = seconds;
  const second = state.tag('f-small', 'e-lib-1-1');
  seconds += 3600;
  await rabbitmq.control('close_all_connections', 'test');
  await looked(second);
  assert.deepEqual(await stored(), ['internal fedora e-tie-b-1-1', 'internal fedora e-lib-1-1']);
});
