// Runs once: what is looked at is told to the inbox, whose tests run on both databases.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { startReactor } from '../../src/app/reactor.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';
import { until } from '../listeners/listening.ts';
import { sharedPath } from '../shared.ts';
import { startFileServer } from '../upstream/koji/file-server.ts';

const rule = (repository: string): string => `version: 1
name: published
owner: rel-eng
description: Compose ed when its repository was published anew.
on:
  - event: repo.changed
    match: { repo: ${repository} }
settle: 20ms
compose:
  source: { type: repo, source: "\${event.repo}", packages: [ed] }
  flags: [no_deps]
  arches: [x86_64]
`;

const decisionsSchema = z.object({
  items: z.array(z.object({ outcome: z.string(), event_id: z.number().nullable() })),
});
const healthSchema = z.object({ parts: z.array(z.object({ name: z.string(), ok: z.boolean() })) });

test('a repository that is published anew starts a rule, and one that cannot be read holds up no other', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'odcs-watched-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const repository = join(directory, 'repo');
  cpSync(sharedPath('odcs', 'repo'), repository, { recursive: true });
  const server = await startFileServer(repository);
  context.after(() => server.close());
  const { url } = server;
  const rules = join(directory, 'rules');
  mkdirSync(rules);
  writeFileSync(join(rules, 'published.yaml'), rule(url));
  const overrides = {
    data_dir: await makeDataDirectory(join(directory, 'data')),
    target_dir: join(directory, 'composes'),
    port: 0,
    rules_dir: rules,
    watched_repositories: [url, join(directory, 'nothing')],
    watched_repositories_seconds: 1,
  };
  const { config } = loadConfig({ file: undefined, environment: {}, overrides });
  await using reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  const ask = async (path: string): Promise<unknown> => (await fetch(`${reactor.url}${path}`)).json();
  const outcomes = async (): Promise<readonly string[]> =>
    decisionsSchema
      .parse(await ask('/api/1/decisions?rule=published'))
      .items.filter((decision) => decision.event_id === null)
      .map(({ outcome }) => outcome);

  await until(async () => {
    const { parts } = healthSchema.parse(await ask('/api/1/health'));
    const wellOf = (name: string) => parts.find((health) => health.name === name)?.ok;
    return wellOf(`repo:${url}`) === true && wellOf(`repo:${overrides.watched_repositories[1]}`) === false;
  }, 'health tells which repository can be read');
  assert.deepEqual(await outcomes(), [], 'what was there before starts nothing');

  const publish = (): void => appendFileSync(join(repository, 'repodata/repomd.xml'), '<!-- anew -->\n');
  publish();
  await until(async () => (await outcomes()).join() === 'composed', 'the change is composed');
  publish();
  await until(async () => (await outcomes()).join() === 'unchanged,composed', 'equal content is no compose');
});
