import { connect as connectAmqp, type ConsumeMessage } from 'amqplib';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
import { ensurePackages } from './debian-packages.ts';
import { startOtlpCollector, type CollectedSpan } from './otlp-collector.ts';
import { rabbitmqPackages, startRabbitmq } from './rabbitmq.ts';

const packages = ensurePackages(rabbitmqPackages);
const options = packages.ready ? {} : { skip: packages.reason };

const rule = `version: 1
name: traced
owner: rel-eng
description: Composes ed when something is tagged.
on:
  - event: koji.tag
    match: { tag: f44 }
settle: 200ms
compose:
  source: { type: repo, source: "${sharedPath('odcs', 'repo')}", packages: [ed] }
  flags: [no_deps]
  arches: [x86_64]
`;
const sent = '4bf92f3577b34da6a3ce929d0e0e4736';
const second = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const asked = 'cccccccccccccccccccccccccccccccc';
const placed = '00f067aa0ba902b7';

test('a trace leads from a message to the announcement of its compose', options, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'odcs-traces-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  await using collector = await startOtlpCollector();
  const broker = await startRabbitmq();
  stack.defer(() => broker.stop());
  const model = await connectAmqp(broker.url);
  stack.defer(() => model.close());
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('odcs', { durable: true });
  await channel.bindQueue('odcs', 'amq.topic', '#');
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'amq.topic', 'org.fedoraproject.prod.odcs.#');
  const heard: ConsumeMessage[] = [];
  await channel.consume(queue, (message) => message !== null && heard.push(message), { noAck: true });
  const messaging = join(directory, 'fedora-messaging.toml');
  writeFileSync(
    messaging,
    `amqp_url = "${broker.url}"\ntopic_prefix = "org.fedoraproject.prod"\npassive_declares = true\n[queues.odcs]\ndurable = true\n`,
  );
  const rules = join(directory, 'rules');
  mkdirSync(rules);
  writeFileSync(join(rules, 'traced.yaml'), rule);
  const { config } = loadConfig({
    file: undefined,
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20secret, x-team=releng',
      OTEL_SERVICE_NAME: 'odcs-test',
    },
    overrides: {
      data_dir: await makeDataDirectory(join(directory, 'data')),
      port: 0,
      rules_dir: rules,
      fedora_messaging_config: messaging,
    },
  });
  const reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  stack.defer(() => reactor.stop());

  const publish = (release: string, traceparent: string): void => {
    const body = { tag: 'f44', name: 'ed', version: '1', release, instance: 'primary' };
    channel.publish('amq.topic', 'org.fedoraproject.prod.buildsys.tag', Buffer.from(JSON.stringify(body)), {
      messageId: `message-${release}`,
      contentEncoding: 'utf-8',
      headers: { 'sent-at': new Date().toISOString(), traceparent },
    });
  };
  publish('1', `00-${sent}-${placed}-01`);
  publish('2', `00-${second}-${placed}-01`);
  await channel.waitForConfirms();
  const done = await until(
    () => heard.find(({ content }) => content.includes('"state_name":"done"')),
    'the announcement',
  );
  const response = await fetch(`${reactor.url}/api/1/composes/`, {
    method: 'POST',
    headers: { traceparent: `00-${asked}-${placed}-01` },
    body: JSON.stringify({
      source: { type: 'repo', source: sharedPath('odcs', 'repo'), packages: ['ed'] },
      flags: ['no_deps', 'no_reuse'],
    }),
  });
  assert.equal(response.status, 200);
  const { id } = z.object({ id: z.number() }).parse(await response.json());
  await until(
    () => heard.some(({ content }) => content.includes(`"id":${id},`) && content.includes('"done"')),
    'the second announcement',
  );
  await reactor.stop();

  assert.deepEqual(collector.wrong, []);
  assert.equal(collector.headers['authorization'], 'Bearer secret');
  assert.equal(collector.headers['x-team'], 'releng');
  assert.deepEqual(collector.resources[0], { key: 'service.name', value: { stringValue: 'odcs-test' } });

  const ofTrace = (traceId: string): CollectedSpan[] =>
    collector.spans.filter((span) => span.traceId === traceId);
  const main = heard.length > 0 ? traceOf(done) : '';
  const first = [sent, second].find((trace) => trace === main.split('-')[1]) ?? assert.fail(main);
  const other = first === sent ? second : sent;
  const names = new Set(ofTrace(first).map(({ name }) => name));
  const whole =
    'receive translate match settle decide plan plan.read plan.gather plan.manifest place repodata metadata publish announce';
  for (const stage of whole.split(' ')) {
    assert.ok(names.has(stage), `${stage} of ${[...names].join()}`);
  }
  assert.deepEqual(
    new Set(ofTrace(other).map(({ name }) => name)),
    new Set(['receive', 'translate', 'match']),
    'the trace of the second message ends in the window of the first',
  );
  const decide = ofTrace(first).find(({ name }) => name === 'decide');
  assert.deepEqual(
    decide?.links?.map(({ traceId }) => traceId),
    [other],
  );
  const announced = ofTrace(first).find(({ spanId }) => spanId === main.split('-')[2]);
  assert.equal(announced?.name, 'announce', 'the message names the span that sent it');
  assert.equal(ancestorsOf(announced, ofTrace(first)).at(-1), 'receive');
  assert.equal(ancestorsOf(decide, ofTrace(first)).at(-1), 'receive');

  const ofRequest = new Set(ofTrace(asked).map(({ name }) => name));
  for (const stage of ['request', 'plan', 'publish', 'announce']) assert.ok(ofRequest.has(stage), stage);
  assert.ok(!ofRequest.has('settle'));
});

function traceOf(message: ConsumeMessage): string {
  return String(message.properties.headers?.['traceparent']);
}

/** Names of the spans above one, its parent first. */
function ancestorsOf(span: CollectedSpan | undefined, all: readonly CollectedSpan[]): string[] {
  const parent = all.find(({ spanId }) => spanId === span?.parentSpanId);
  return parent === undefined ? [] : [parent.name, ...ancestorsOf(parent, all)];
}
