import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { until } from '../listeners/listening.ts';
import { sharedPath } from '../shared.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { openScene, readSample, sceneOptions, shippedRule, withTrail, type Scene } from './scene.ts';

const buses = ['rabbitmq', 'activemq'] as const;
const options = sceneOptions(buses);
const quick = ['settle: 10m\nmax_wait: 2h\nreconcile: 30m\nmin_interval: 4h', 'settle: 200ms'] as const;
const koji = new StateHub();
let open: Scene | null = null;

function theScene(): Scene {
  return open ?? assert.fail('no scene');
}

/** Errata Tool as far as the advisory of the scenario is concerned. */
const errata = createServer((request, response) => {
  const answers: Record<string, unknown> = {
    '/api/v1/erratum/34661': {
      errata: { rhsa: { security_impact: 'Important', status: 'SHIPPED_LIVE', content_types: ['rpm'] } },
    },
    '/advisory/34661/builds.json': {
      'RHEL-7.6.0': [{ 'e-tie-a-1-1': {} }, { 'e-self-1-1': {} }],
    },
  };
  const answer = answers[request.url ?? ''];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? {}));
});

if (options.skip === undefined) {
  const hub = await startHubServer(koji.answer);
  await new Promise<void>((resolve) => errata.listen(0, '127.0.0.1', resolve));
  const address = errata.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  open = await openScene({
    buses,
    koji: { server: hub.url, topdir: sharedPath('pungi', 'koji-topdir') },
    rules: {
      'tag-following': shippedRule('tag-following', [
        quick,
        ['feeds: f44', 'feeds: f-small'],
        ['series: f44', 'series: f-small'],
        ['source: f44', 'source: f-small'],
        ['arches: [x86_64, aarch64]', 'arches: [x86_64]'],
      ]),
      'errata-rhsa-shipped': shippedRule('errata-rhsa-shipped', [['settle: 30s', 'settle: 200ms']]),
    },
    settings: { errata_url: `http://127.0.0.1:${port}` },
  });
  after(async () => {
    await open?.stop();
    await hub.close();
    await new Promise((resolve) => errata.close(resolve));
  });
}

/** The announcements of a compose on both buses, once both were told that it is done. */
async function announced(id: number | null): Promise<void> {
  const { announcements } = theScene();
  const stateOf = (text: string): string => {
    const { compose } = JSON.parse(text) as { compose?: { id: number; state_name: string } };
    return compose === undefined ? '' : `${compose.id} ${compose.state_name}`;
  };
  const amqp = await until(
    () => announcements.amqp.find(({ content }) => stateOf(content.toString()) === `${id} done`),
    `the announcement of ${id} on RabbitMQ`,
  );
  const stomp = await until(
    () => announcements.stomp.find(({ body }) => stateOf(body.toString()) === `${id} done`),
    `the announcement of ${id} on ActiveMQ`,
  );
  assert.equal(amqp.fields.routingKey, 'org.fedoraproject.prod.odcs.compose.state-changed');
  assert.equal(amqp.properties.contentType, 'application/json');
  assert.equal(amqp.properties.contentEncoding, 'utf-8');
  // Without each of these the Python library drops a message. Source: messages contract 1.3.
  const headers = new Map(Object.entries(amqp.properties.headers ?? {}));
  assert.equal(headers.get('fedora_messaging_schema'), 'base.message');
  assert.equal(headers.get('fedora_messaging_severity'), 20);
  assert.match(String(headers.get('sent-at')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
  assert.match(String(amqp.properties.messageId), /^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  assert.equal(stomp.headers['correlation-id'], amqp.properties.messageId);
  assert.equal(stomp.headers['persistent'], 'true');
  assert.deepEqual(JSON.parse(stomp.body.toString()), JSON.parse(amqp.content.toString()));
  const states = announcements.amqp.map(({ content }) => stateOf(content.toString()));
  assert.equal(states.filter((state) => state === `${id} done`).length, 1, states.join(', '));
}

test(
  'a buildsys.tag on RabbitMQ leads to a compose with the new build, announced on both buses',
  options,
  async (context) => {
    const scene = theScene();
    await withTrail(context, scene, async () => {
      const sample = readSample('fedora-messaging/buildsys.tag-koji-build-tagged.json');
      // Tag and build of the fixture in place of the recorded ones.
      const fixture = { tag: 'f-small', name: 'e-tie-b', version: '1', release: '1' };
      const event = koji.tag('f-small', 'e-tie-b-1-1');
      await scene.publish({ ...sample, body: { ...sample.body, ...fixture } });
      const decision = await scene.decided('tag-following', 1);
      assert.equal(decision.outcome, 'composed', decision.why);
      const compose = await scene.compose(decision.compose_id);
      assert.equal(compose.state_name, 'done', compose.state_reason);
      assert.equal(compose.koji_event, event);
      assert.ok((await scene.repoquery(context, compose.id)).includes('e-tie-b-1-1.x86_64'));
      await announced(compose.id);
    });
  },
);

test('its twin brew.build.tag on ActiveMQ does the same', options, async (context) => {
  const scene = theScene();
  await withTrail(context, scene, async () => {
    const sample = readSample('umb-stomp/brew.build.tag-brew-build-tag.json');
    const build = { name: 'e-lib', package_name: 'e-lib', version: '1', release: '1', nvr: 'e-lib-1-1' };
    const body = {
      ...sample.body,
      tag: { ...Object(sample.body['tag']), name: 'f-small' },
      build: { ...Object(sample.body['build']), ...build },
    };
    const event = koji.tag('f-small', 'e-lib-1-1');
    await scene.send({ ...sample, body });
    const decision = await scene.decided('tag-following', 2);
    assert.equal(decision.outcome, 'composed', decision.why);
    const compose = await scene.compose(decision.compose_id);
    assert.equal(compose.koji_event, event);
    const packages = await scene.repoquery(context, compose.id);
    assert.ok(packages.includes('e-lib-1-1.x86_64') && packages.includes('e-tie-b-1-1.x86_64'));
    await announced(compose.id);
  });
});

test(
  'an RHSA that is shipped on ActiveMQ leads to a compose of exactly its builds',
  options,
  async (context) => {
    const scene = theScene();
    await withTrail(context, scene, async () => {
      // The recorded status change of advisory 34661, told as an important RHSA that is shipped.
      const sample = readSample('umb-stomp/errata.activity.status-estuary-activity-status.json');
      const change = {
        type: 'RHSA',
        from: 'REL_PREP',
        to: 'SHIPPED_LIVE',
        errata_status: 'SHIPPED_LIVE',
        synopsis: 'Important: libvirt-python security update',
        fulladvisory: 'RHSA-2018:34661-01',
      };
      const qe = { ...sample.body, type: 'RHSA', synopsis: change.synopsis };
      await scene.send({ ...sample, headers: { ...sample.headers, type: 'RHSA' }, body: qe });
      await scene.send({
        ...sample,
        headers: { ...sample.headers, ...change },
        body: { ...sample.body, ...change },
      });
      const decision = await scene.decided('errata-rhsa-shipped', 1);
      assert.equal(decision.outcome, 'composed', decision.why);
      assert.deepEqual(await scene.repoquery(context, decision.compose_id), [
        'e-self-1-1.x86_64',
        'e-tie-a-1-1.x86_64',
      ]);
      const why = JSON.stringify(await scene.get(`/api/1/composes/${decision.compose_id}/why`));
      assert.match(why, /"rule":"errata-rhsa-shipped"/);
      assert.equal(
        (await scene.windowsOf('errata-rhsa-shipped')).length,
        1,
        'the change to QE opened no window',
      );
    });
  },
);
