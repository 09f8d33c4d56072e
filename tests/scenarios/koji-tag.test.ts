import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { startReactor } from '../../src/app/reactor.ts';
import { sharedPath } from '../shared.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { kojiServiceConfig } from './koji-service-config.ts';

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string(),
  koji_event: z.number().nullable(),
});
type Compose = z.infer<typeof composeSchema>;

interface Service {
  readonly state: StateHub;
  /** The copy of the top directory. */
  readonly topDir: string;
  readonly composes: string;
  post(topic: string, body: object): Promise<void>;
  /** Resolves once the hub was asked why a package is not signed: the plan is refused then. */
  refused(): Promise<void>;
  ended(count: number): Promise<readonly Compose[]>;
}

async function startService(
  context: TestContext,
  rule: { readonly on: string; readonly compose: string },
): Promise<Service> {
  const directory = mkdtempSync(join(tmpdir(), 'koji-tag-'));
  const topDir = join(directory, 'top');
  cpSync(sharedPath('pungi', 'koji-topdir'), topDir, { recursive: true });
  const state = new StateHub();
  const hub = await startHubServer(state.answer);
  mkdirSync(join(directory, 'rules'));
  writeFileSync(
    join(directory, 'rules', 'follow.yaml'),
    `version: 1\nname: follow\nowner: rel-eng\ndescription: Follow a tag.\nmode: active\n${rule.on}settle: 20ms\nseries: small\n${rule.compose}`,
  );
  const profile = { server: hub.url, topdir: topDir };
  const config = await kojiServiceConfig(directory, profile, { rules_dir: join(directory, 'rules') });
  const reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  context.after(async () => {
    await reactor.stop();
    await hub.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const list = async (): Promise<readonly Compose[]> => {
    const response = await fetch(`${reactor.url}/api/1/composes/?order_by=id`);
    return z.object({ items: z.array(composeSchema) }).parse(await response.json()).items;
  };
  return {
    state,
    topDir,
    composes: config.target_dir,
    post: async (topic, body) => {
      const response = await fetch(`${reactor.url}/api/1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ topic: `org.fedoraproject.prod.buildsys.${topic}`, body }),
      });
      assert.equal(response.status, 202, await response.text());
    },
    refused: async () => {
      while (!hub.calls.some((call) => call.method === 'queryRPMSigs')) await wait(50);
    },
    ended: async (count) => {
      for (;;) {
        const composes = await list();
        const ended = composes.filter((compose) => ['done', 'failed'].includes(compose.state_name));
        if (ended.length >= count) return ended;
        await wait(50);
      }
    },
  };
}

const koji = { base_url: 'https://koji.example.org', instance: 'primary' };

function tagBody(name: string): object {
  const build = { build_id: 1, name, version: '1', release: '1', owner: 'releng', user: 'releng' };
  return { ...koji, ...build, tag: 'f-small', tag_id: 2 };
}

function rpmsOf(service: Service, compose: Compose | undefined): string[] {
  const tree = join(
    service.composes,
    `odcs-${compose?.id ?? 0}`,
    'compose',
    'Temporary',
    'x86_64',
    'os',
    'Packages',
  );
  return readdirSync(tree, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.rpm'));
}

test('each build that is tagged leads to a compose with it', async (context) => {
  const service = await startService(context, {
    on: 'on:\n  - event: koji.tag\n    match: { tag: f-small }\n',
    compose: 'compose:\n  source: { type: tag, source: f-small }\n',
  });
  const first = service.state.tag('f-small', 'e-tie-b-1-1');
  await service.post('tag', tagBody('e-tie-b'));
  const [early] = await service.ended(1);
  assert.equal(early?.state_name, 'done', early?.state_reason);
  assert.equal(early.koji_event, first);
  assert.ok(rpmsOf(service, early).includes('e/e-tie-b-1-1.x86_64.rpm'));

  const second = service.state.tag('f-small', 'e-lib-1-1');
  await service.post('tag', tagBody('e-lib'));
  const composes = await service.ended(2);
  const late = composes.find((compose) => compose.id !== early.id);
  assert.equal(late?.state_name, 'done', late?.state_reason);
  assert.equal(late.koji_event, second);
  assert.ok(rpmsOf(service, late).includes('e/e-lib-1-1.x86_64.rpm'));
});

test('a build that is not signed yet is composed once it was signed', async (context) => {
  const service = await startService(context, {
    on: 'on:\n  - event: koji.tag\n    match: { tag: f-small }\n  - event: koji.sign\n    match: { sigkey: aabbccdd }\n',
    compose:
      'compose:\n  source: { type: tag, source: f-small, packages: [e-glob-1, e-tie-b], sigkeys: [aabbccdd] }\n',
  });
  const { state, topDir } = service;
  state.tag('f-small', 'e-tie-b-1-1');
  await service.post('tag', tagBody('e-tie-b'));
  await service.refused();
  const build = join(topDir, 'packages/e-tie-b/1/1');
  for (const arch of ['src', 'x86_64']) {
    const file = join(arch, `e-tie-b-1-1.${arch}.rpm`);
    cpSync(join(build, file), join(build, 'data/signed/aabbccdd', file), { recursive: true });
  }
  const rpm = {
    name: 'e-tie-b',
    version: '1',
    release: '1',
    arch: 'x86_64',
    id: 1,
    epoch: null,
    build_id: 1,
  };
  const signed = { ...rpm, nvr: 'e-tie-b-1-1', package_name: 'e-tie-b' };
  await service.post('rpm.sign', {
    ...koji,
    sigkey: 'aabbccdd',
    sighash: '0'.repeat(32),
    build: signed,
    rpm,
  });
  const composes = await service.ended(1);
  assert.equal(composes.length, 1);
  assert.equal(composes[0]?.state_name, 'done', composes[0]?.state_reason);
  assert.ok(rpmsOf(service, composes[0]).includes('e/e-tie-b-1-1.x86_64.rpm'));
});
