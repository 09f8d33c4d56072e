import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { insertToken } from '../../src/database/api-tokens.ts';
import { digestOf, formatToken, newSecret } from '../../src/model/api-token.ts';
import { until } from '../listeners/listening.ts';
import { sharedPath } from '../shared.ts';
import { startFileServer } from '../upstream/koji/file-server.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { openScene, sceneOptions, withTrail, type Scene } from './scene.ts';

const buses = ['rabbitmq'] as const;
const options = sceneOptions(buses);
const [OPEN, CLOSED] = ['open-fixes', 'closed-fixes'];

const ruleText = (name: string, more: string): string => `version: 1
name: ${name}
owner: security
description: Composes what is not under embargo.
mode: active
on:
  - event: koji.tag
    match: { tag: [f44-candidate, f44-shipped] }
settle: 200ms
series: ${name}
${more}compose:
  source:
    type: tag
    source: f44-candidate
    sigkeys: ['']
    embargo: { tags: [f44-embargo], shipped_tags: [f44-shipped] }
`;

interface Opened {
  readonly scene: Scene;
  readonly koji: StateHub;
}
let opened: Opened | null = null;

if (options.skip === undefined) {
  const folder = mkdtempSync('/tmp/odcs-embargo-');
  const topDir = join(folder, 'top');
  cpSync(sharedPath('pungi', 'koji-topdir'), topDir, { recursive: true });
  const koji = new StateHub();
  for (const tag of ['f44-candidate', 'f44-embargo', 'f44-shipped']) {
    koji.addTag(tag);
    for (const name of ['e-dup', 'e-zz']) koji.addPackage(tag, name);
  }
  for (const nvr of ['e-dup-1-1', 'e-zz-1-1']) koji.tag('f44-candidate', nvr);
  const hub = await startHubServer(koji.answer);
  const files = await startFileServer(topDir);
  const scene = await openScene({
    buses,
    koji: { server: hub.url, topurl: files.url },
    rules: { [OPEN]: ruleText(OPEN, ''), [CLOSED]: ruleText(CLOSED, 'readers: { groups: [embargo] }\n') },
  });
  koji.messages.onMessage(({ topic, body, messageId }) =>
    scene.publish({ topic, headers: {}, body }, messageId),
  );
  opened = { scene, koji };
  after(async () => {
    await scene.stop();
    await files.close();
    await hub.close();
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Asks the service for a text. */
type AskText = (path: string) => Promise<string>;

const composeSchema = z.object({ id: z.number(), warnings: z.array(z.string()).default([]) });
const decisionsSchema = z.object({
  items: z.array(
    z.object({ outcome: z.string(), event_id: z.number().nullable(), compose_id: z.number().nullable() }),
  ),
});

/** Returns what asks as somebody of the group that may read what is closed. */
async function openReader({ scene }: Opened): Promise<AskText> {
  const { database, url } = scene.reactor;
  const secret = newSecret();
  const now = new Date();
  const { id } = await insertToken(database.kysely, {
    name: 'reader',
    digest: digestOf(secret),
    owner: 'member',
    groups: ['embargo'],
    scopes: ['read'],
    now,
    expiresAt: new Date(now.getTime() + 86_400_000),
  });
  const headers = { authorization: `Bearer ${formatToken(id, secret)}` };
  return async (path) => (await fetch(`${url}${path}`, { headers })).text();
}

/** Waits for the compose of a rule's window so far; returns what it says of itself. */
async function made(get: AskText, rule: string, count: number) {
  const composeId = await until(async () => {
    const { items } = decisionsSchema.parse(JSON.parse(await get(`/api/1/decisions?rule=${rule}`)));
    const ends = items.filter((item) => item.event_id === null && item.outcome !== 'requested');
    return ends.length >= count && ends.at(0)?.compose_id;
  }, `${count} composes of ${rule}`);
  const { id, warnings } = composeSchema.parse(JSON.parse(await get(`/api/1/composes/${composeId}`)));
  const lines = (await get(`/api/1/composes/${id}/manifest`)).split('\n');
  return {
    id,
    warnings,
    replaced: lines.filter((line) => line.startsWith('option\treplaced')),
    dup: [...new Set(lines.flatMap((line) => /\be-dup-0:\d-1(?=\.x86_64)/.exec(line) ?? []))],
  };
}

test(
  'a message of a build under embargo leads to a compose of the one before it, that of its shipping to one with it',
  options,
  async (context) => {
    const all = opened ?? assert.fail('no scene');
    const { scene, koji } = all;
    await withTrail(context, scene, async () => {
      const get = await openReader(all);
      const getOpen: AskText = async (path) => (await fetch(`${scene.reactor.url}${path}`)).text();
      koji.tag('f44-embargo', 'e-dup-2-1');
      koji.tag('f44-candidate', 'e-dup-2-1');
      const { id: _closed, ...closed } = await made(get, CLOSED, 1);
      assert.deepEqual(closed, {
        warnings: ['e-dup-2-1 is under embargo: e-dup-1-1 stands in for it.'],
        replaced: ['option\treplaced e-dup-2-1\te-dup-1-1'],
        dup: ['e-dup-0:1-1'],
      });
      // What everybody may read says that something is left out, and not what.
      const { id: first, ...open } = await made(getOpen, OPEN, 1);
      assert.deepEqual(open, {
        warnings: ['Builds under embargo are left out; older ones stand in where there are any.'],
        replaced: [],
        dup: ['e-dup-0:1-1'],
      });
      assert.deepEqual(await scene.repoquery(context, first), ['e-dup-1-1.x86_64', 'e-zz-1-1.x86_64']);

      koji.tag('f44-shipped', 'e-dup-2-1');
      const { id: _shipped, ...shipped } = await made(get, CLOSED, 2);
      assert.deepEqual(shipped, { warnings: [], replaced: [], dup: ['e-dup-0:2-1'] });
      const { id: second, ...released } = await made(getOpen, OPEN, 2);
      assert.deepEqual(released, { warnings: [], replaced: [], dup: ['e-dup-0:2-1'] });
      assert.deepEqual(await scene.repoquery(context, second), ['e-dup-2-1.x86_64', 'e-zz-1-1.x86_64']);
      const { latest } = z.object({ latest: z.number() }).parse(await scene.get(`/api/1/series/${OPEN}`));
      assert.equal(latest, second);
      // The bus heard of the open composes alone.
      const announced = scene.announcements.amqp.map(({ content }) => content.toString());
      assert.ok(announced.some((text) => text.includes(OPEN)));
      assert.deepEqual(
        announced.filter((text) => text.includes(CLOSED)),
        [],
      );
    });
  },
);
