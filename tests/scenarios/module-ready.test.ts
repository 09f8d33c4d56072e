import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeHost } from '../composer/modules/module-host.ts';
import { sharedPath } from '../shared.ts';
import { readMbsItems, startFakeMbs } from '../upstream/fake-mbs.ts';
import { readModuleHubData, startModuleHub } from '../upstream/koji/module-hub.ts';
import { openScene, readSample, sceneOptions, shippedRule, withTrail } from './scene.ts';

const buses = ['rabbitmq'] as const;

test(
  'a module that becomes ready is composed with all it needs, and installs',
  sceneOptions(buses),
  async (context) => {
    const items = readMbsItems('fixture').map((item) => ({ ...item, state: 5 }));
    const mbs = await startFakeMbs(context, items);
    const { server } = await startModuleHub(context, readModuleHubData('fixture'));
    const scene = await openScene({
      buses,
      koji: { server: server.url, topdir: sharedPath('modules/fixture/koji-topdir') },
      rules: { 'module-ready': shippedRule('module-ready', [['settle: 1m', 'settle: 200ms']]) },
      settings: { mbs_url: mbs.url },
    });
    context.after(() => scene.stop());
    await withTrail(context, scene, async () => {
      const sample = readSample('fedora-messaging/mbs.module.state.change-ready-testmodule.json');
      // A module of the fixture in place of the recorded one.
      const damson = items.find(({ name }) => name === 'damson') ?? assert.fail();
      const { id, name, stream, version, context: moduleContext } = damson;
      const fixture = { id, name, stream, version, context: moduleContext };
      await scene.publish({ ...sample, body: { ...sample.body, ...fixture } });
      const decision = await scene.decided('module-ready', 1);
      assert.equal(decision.outcome, 'composed', decision.why);
      const compose = await scene.compose(decision.compose_id);
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
    });
  },
);
