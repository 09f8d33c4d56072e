import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { createApp } from '../../src/api/app.ts';
import type { AskedPlan, PlannedCompose } from '../../src/api/context.ts';
import { noteRunningSet } from '../../src/database/rule-sets.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { readRules } from '../../src/rules/reload.ts';
import { openTestApi, type TestApi } from '../api/open-test-api.ts';
import { Engine, ruleDirectory } from '../rules/engine.ts';
import { quietKoji } from '../rules/quiet-koji.ts';
import { seededFingerprint, seededManifest, seededReasonsByFile } from './seeded-packages.ts';
import { Day, NOW, type ShownNumbers } from './seeded-day.ts';
import { seededRules } from './seeded-rules.ts';

/** A console over a day of a release engineer's service, told by the real rules and lives of composes. */
export interface SeededConsole extends AsyncDisposable {
  readonly url: string;
  readonly api: TestApi;
  readonly shown: ShownNumbers;
}

/** Opens a console over the day and serves it on a port of its own. */
export async function openSeededConsole(): Promise<SeededConsole> {
  const api = await openTestApi();
  const directory = ruleDirectory(seededRules);
  const reading = await readRules(directory.path);
  if (!reading.ok) throw new Error(`The seeded rules are wrong: ${JSON.stringify(reading.problems)}`);
  const unsigned = new Set<string>();
  const engine = new Engine(api.database, reading.set, {
    koji: { ...quietKoji, unsignedBuilds: async (nvrs) => nvrs.filter((nvr) => unsigned.has(nvr)) },
  });
  const documents = Object.entries(seededRules).map(([file, text]) => ({ file, text }));
  await noteRunningSet(api.database.kysely, { version: reading.set.version, documents, problems: [] }, NOW);
  const day = new Day(api, engine, unsigned);
  const shown = await day.tell();
  api.now = NOW;
  const config = { ...api.context.config, rules_dir: directory.path };
  const health = async () => [
    {
      name: 'bus fedora',
      isWell: true,
      detail: 'Connected to amqps://rabbitmq.fedoraproject.org, the last message 4 seconds ago.',
    },
    {
      name: 'bus umb',
      isWell: false,
      detail: 'Not connected: the broker closed the connection; tried again in 12 s.',
    },
    { name: 'rules', isWell: true, detail: `${reading.set.rules.length} rules run.` },
  ];
  const app = createApp({ ...api.context, config, health, plan: planSeeded });
  const server = serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request, bindings) => app.fetch(request, { incoming: bindings.incoming }),
  });
  await new Promise<void>((resolve) => {
    if (server.listening) resolve();
    else server.once('listening', resolve);
  });
  const { port }: Partial<AddressInfo> = Object(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    api,
    shown,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
      await api[Symbol.asyncDispose]();
      directory.remove();
    },
  };
}

/** What every request would bring: some packages with their reasons; nothing of a source called `nothing`. */
async function planSeeded({ request }: AskedPlan): Promise<PlannedCompose> {
  if (request.source.includes('nothing')) {
    throw new ReactorError('koji.tag_unknown', 'There is no tag "nothing" in Koji.', {
      hint: 'Check its spelling.',
    });
  }
  const manifest = seededManifest(5, ['openssl', 'openssl-libs']);
  const reasons = seededReasonsByFile();
  return {
    fingerprint: seededFingerprint(manifest),
    manifest,
    warnings: ['3 packages are not signed: fedora-release, libevent, ncurses-base.'],
    bytes: 84_300_000,
    whyOf: (arch, file) => reasons[arch]?.[file] ?? '',
  };
}
