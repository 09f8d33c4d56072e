import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startReactor } from '../../src/reactor.ts';
import { makeHost } from '../composer/modules/module-host.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { sharedPath } from '../shared.ts';
import { readMbsItems, startFakeMbs } from '../upstream/fake-mbs.ts';
import { readModuleHubData, startModuleHub } from '../upstream/koji/module-hub.ts';

interface ComposeAnswer {
  readonly id: number;
  readonly state_name: string;
  readonly state_reason: string;
  readonly source: string;
  readonly result_repofile: string;
  readonly result_repo: string;
}

const packages = ensurePackages(['dnf', 'rpm']);

test(
  'a module that becomes ready is composed with all it needs, and installs',
  packages.ready ? {} : { skip: packages.reason },
  async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'module-ready-'));
    context.after(() => rmSync(directory, { recursive: true, force: true }));
    const items = readMbsItems('fixture').map((item) => ({ ...item, state: 5 }));
    const mbs = await startFakeMbs(context, items);
    const { server } = await startModuleHub(context, readModuleHubData('fixture'));
    const profile = join(directory, 'koji.conf');
    const topDir = sharedPath('modules/fixture/koji-topdir');
    writeFileSync(profile, `[koji]\nserver = ${server.url}\ntopdir = ${topDir}\n`);
    const rules = join(directory, 'rules');
    mkdirSync(rules);
    const shipped = readFileSync(resolve(import.meta.dirname, '../../rules/module-ready.yaml'), 'utf8');
    const rule = shipped.replace('mode: shadow', 'mode: active').replace('settle: 1m', 'settle: 1s');
    writeFileSync(join(rules, 'module-ready.yaml'), rule.replace(/^notify:[\s\S]*$/m, ''));
    const { config } = loadConfig({
      file: undefined,
      environment: {},
      overrides: {
        data_dir: join(directory, 'data'),
        port: 0,
        rules_dir: rules,
        mbs_url: mbs.url,
        koji_profile: 'koji',
        koji_config: profile,
        arches: ['x86_64'],
      },
    });
    await using reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });

    const recorded = JSON.parse(
      readFileSync(
        sharedPath('messages/samples/fedora-messaging/mbs.module.state.change-ready-testmodule.json'),
        'utf8',
      ),
    ) as { topic: string; body: Record<string, unknown> };
    const damson = items.find(({ name }) => name === 'damson') ?? assert.fail();
    const { id, name, stream, version, context: moduleContext } = damson;
    const body = { ...recorded.body, id, name, stream, version, context: moduleContext };
    const posted = await fetch(`${reactor.url}/api/1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic: recorded.topic, body }),
    });
    assert.equal(posted.status, 202, await posted.text());

    const compose = await endOfFirstCompose(reactor.url);
    assert.equal(compose.state_name, 'done', compose.state_reason);
    assert.equal(
      compose.source,
      'apple:main:4220250103000000:b0c0ffee basket:1.10:4220250101120000:5e001234 ' +
        'cherry:stable-2:4220250104000000:deadbeef damson:1:4220250105000000:12345678',
    );
    const repo = await (await fetch(compose.result_repofile)).text();
    const command = /^# dnf (module install \S+)$/m.exec(repo)?.[1] ?? assert.fail(repo);
    const url = /^baseurl=(.*)$/m.exec(repo)?.[1]?.replace('$basearch', 'x86_64') ?? assert.fail(repo);
    const host = makeHost(context, url);
    const { status, output } = await host.dnf(...command.split(' '));
    assert.equal(status, 0, output);
    assert.ok(host.installed().includes('damson damson:1:4220250105000000:12345678'));
  },
);

/** Asks until the first compose has ended; the runner's own limit ends it otherwise. */
async function endOfFirstCompose(url: string): Promise<ComposeAnswer> {
  for (;;) {
    const response = await fetch(`${url}/api/1/composes/`);
    const { items } = (await response.json()) as { items: readonly ComposeAnswer[] };
    const [compose] = items;
    if (compose !== undefined && ['done', 'failed'].includes(compose.state_name)) return compose;
    await wait(50);
  }
}
