import { connect as connectAmqp, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import {
  openStompConnection,
  type StompConnection,
  type StompMessage,
} from '../../src/buses/stomp-connection.ts';
import { createLog } from '../../src/log.ts';
import { startReactor, type Reactor } from '../../src/app/reactor.ts';
import { makeHost } from '../composer/modules/module-host.ts';
import { until } from '../listeners/listening.ts';
import { activemqPackages, startActivemq } from '../services/activemq.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { rabbitmqPackages, startRabbitmq } from '../services/rabbitmq.ts';
import { sharedPath } from '../shared.ts';
import { kojiServiceConfig } from './koji-service-config.ts';

const decisionSchema = z.object({
  id: z.number(),
  rule: z.string(),
  event_id: z.number().nullable(),
  window_id: z.number().nullable(),
  compose_id: z.number().nullable(),
  outcome: z.string(),
  why: z.string(),
  trail: z.array(z.unknown()),
});
/** One decision as the API tells it. */
export type Decision = z.infer<typeof decisionSchema>;

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string(),
  source: z.string(),
  koji_event: z.number().nullable(),
  result_repofile: z.string(),
});
export type SceneCompose = z.infer<typeof composeSchema>;

const sampleSchema = z.object({
  topic: z.string(),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  body: z.record(z.string(), z.unknown()),
});
/** A recorded message. */
export type Sample = z.infer<typeof sampleSchema>;

/** A recorded message of `messages/samples` by its path there. */
export function readSample(path: string): Sample {
  return sampleSchema.parse(
    JSON.parse(
      readFileSync(sharedPath('messages', 'samples', path), 'utf8'),
      (_key, value: unknown) => value,
    ),
  );
}

/** The text of a shipped rule, active, each edit made; an edit that finds nothing fails the test. */
export function shippedRule(name: string, edits: readonly (readonly [string, string])[]): string {
  const text = readFileSync(resolve(import.meta.dirname, '../../rules', `${name}.yaml`), 'utf8');
  return [['mode: shadow', 'mode: active'] as const, ...edits].reduce((edited, [from, to]) => {
    assert.ok(edited.includes(from), `${name} has no "${from}"`);
    return edited.replaceAll(from, to);
  }, text);
}

export interface SceneInput {
  readonly buses: readonly ('rabbitmq' | 'activemq')[];
  /** Rule files by name, without `.yaml`. */
  readonly rules: Readonly<Record<string, string>>;
  /** The Koji profile: `server` and `topdir` or `topurl`. */
  readonly koji: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A reactor on real brokers, and those who talk with it over them. */
export interface Scene {
  readonly reactor: Reactor;
  /** What was announced on RabbitMQ and on ActiveMQ since the start. */
  readonly announcements: { readonly amqp: ConsumeMessage[]; readonly stomp: StompMessage[] };
  /** Publishes on RabbitMQ as fedora-messaging does, confirmed. */
  publish(sample: Sample, messageId?: string): Promise<void>;
  /** Sends to a virtual topic of ActiveMQ, with a receipt. */
  send(sample: Sample): Promise<void>;
  /** Decisions of a rule on windows, oldest first. */
  windowsOf(rule: string): Promise<readonly Decision[]>;
  /** Waits until a rule has decided so many windows for good; returns the decision on the last. */
  decided(rule: string, count: number): Promise<Decision>;
  /** Decisions on one event, without those on its window. */
  decisionsOn(eventId: number): Promise<readonly Decision[]>;
  compose(id: number | null): Promise<SceneCompose>;
  composes(): Promise<readonly SceneCompose[]>;
  /** Every package that real dnf sees in a compose: `name-version-release.arch`, sorted. */
  repoquery(context: TestContext, id: number | null): Promise<readonly string[]>;
  get(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** Whether this machine has what a scene on these buses needs. */
export function sceneOptions(buses: SceneInput['buses']): { readonly skip?: string } {
  const wanted = [
    'dnf',
    'rpm',
    ...(buses.includes('rabbitmq') ? rabbitmqPackages : []),
    ...(buses.includes('activemq') ? activemqPackages : []),
  ];
  const packages = ensurePackages(wanted);
  return packages.ready ? {} : { skip: packages.reason };
}

const QUEUE = 'odcs';
const plain = { certificate: '', key: '', ca: '' };

interface Bus {
  readonly overrides: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

async function openRabbitmq(
  directory: string,
  heard: ConsumeMessage[],
): Promise<Bus & { readonly channel: ConfirmChannel }> {
  const broker = await startRabbitmq();
  const model = await connectAmqp(broker.url);
  model.on('error', () => undefined);
  const channel = await model.createConfirmChannel();
  channel.on('error', () => undefined);
  // The queue is there before the reactor is, as where the administrators of the broker make it.
  await channel.assertQueue(QUEUE, { durable: true });
  await channel.bindQueue(QUEUE, 'amq.topic', '#');
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'amq.topic', 'org.fedoraproject.prod.odcs.#');
  await channel.consume(queue, (message) => message !== null && heard.push(message), { noAck: true });
  const file = join(directory, 'fedora-messaging.toml');
  writeFileSync(
    file,
    `amqp_url = "${broker.url}"\ntopic_prefix = "org.fedoraproject.prod"\npassive_declares = true\n` +
      `[queues.${QUEUE}]\ndurable = true\n[[bindings]]\nqueue = "${QUEUE}"\nexchange = "amq.topic"\nrouting_keys = ["#"]\n`,
  );
  return {
    channel,
    overrides: { fedora_messaging_config: file },
    async stop() {
      await model.close().catch(() => undefined);
      await broker.stop();
    },
  };
}

async function openActivemq(heard: StompMessage[]): Promise<Bus & { readonly connection: StompConnection }> {
  const broker = await startActivemq();
  const options = { url: broker.url, ...plain, heartbeatMs: 10_000, maxBytes: 1_000_000 };
  const connection = await openStompConnection(
    options,
    (message) => heard.push(message),
    AbortSignal.timeout(10_000),
  );
  await connection.request('SUBSCRIBE', {
    destination: '/queue/Consumer.a.b.VirtualTopic.eng.odcs.>',
    id: '1',
  });
  return {
    connection,
    overrides: {
      umb_urls: [broker.url],
      umb_destinations: ['/queue/Consumer.odcs.scene.VirtualTopic.eng.>'],
      umb_topic: 'VirtualTopic.eng.odcs.state.change',
    },
    async stop() {
      connection.destroy();
      await broker.stop();
    },
  };
}

/** Starts the brokers and one reactor that listens to them and announces on them. */
export async function openScene(input: SceneInput): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'odcs-scene-'));
  const announcements = { amqp: new Array<ConsumeMessage>(), stomp: new Array<StompMessage>() };
  const stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const rabbitmq = input.buses.includes('rabbitmq')
    ? await openRabbitmq(directory, announcements.amqp)
    : null;
  if (rabbitmq !== null) stack.defer(() => rabbitmq.stop());
  const activemq = input.buses.includes('activemq') ? await openActivemq(announcements.stomp) : null;
  if (activemq !== null) stack.defer(() => activemq.stop());
  mkdirSync(join(directory, 'rules'));
  for (const [name, text] of Object.entries(input.rules)) {
    writeFileSync(join(directory, 'rules', `${name}.yaml`), text);
  }
  const config = await kojiServiceConfig(directory, input.koji, {
    rules_dir: join(directory, 'rules'),
    ...rabbitmq?.overrides,
    ...activemq?.overrides,
    ...input.settings,
  });
  const reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  stack.defer(() => reactor.stop());
  const scene = createScene(reactor, announcements, rabbitmq?.channel, activemq?.connection, () =>
    stack.disposeAsync(),
  );
  await until(async () => {
    const { parts } = healthSchema.parse(await scene.get('/api/1/health'));
    return parts.every(({ ok }) => ok);
  }, 'a reactor that is well');
  return scene;
}

const healthSchema = z.object({ parts: z.array(z.object({ ok: z.boolean() })) });
/** How a decision on a window may end; the others go on. */
const isFinal = ({ outcome }: Decision): boolean => outcome !== 'requested';

function createScene(
  reactor: Reactor,
  announcements: Scene['announcements'],
  channel: ConfirmChannel | undefined,
  connection: StompConnection | undefined,
  stop: () => Promise<void>,
): Scene {
  const get = async (path: string): Promise<unknown> => (await fetch(`${reactor.url}${path}`)).json();
  const decisions = async (query: string): Promise<readonly Decision[]> =>
    z.object({ items: z.array(decisionSchema) }).parse(await get(`/api/1/decisions?limit=1000&${query}`))
      .items;
  const windowsOf = async (rule: string): Promise<readonly Decision[]> =>
    (await decisions(`rule=${rule}`)).filter(({ event_id }) => event_id === null).toReversed();
  const composes = async (): Promise<readonly SceneCompose[]> =>
    z.object({ items: z.array(composeSchema) }).parse(await get('/api/1/composes/?order_by=id&per_page=100'))
      .items;
  return {
    reactor,
    announcements,
    async publish({ topic, headers, body }, messageId = randomUUID()) {
      assert.ok(channel, 'RabbitMQ is not part of the scene');
      const options = {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        deliveryMode: 2,
        messageId,
        headers: { 'sent-at': new Date().toISOString(), ...headers },
      };
      channel.publish('amq.topic', topic, Buffer.from(JSON.stringify(body)), options);
      await channel.waitForConfirms();
    },
    async send({ topic, headers, body }) {
      assert.ok(connection, 'ActiveMQ is not part of the scene');
      // What the broker itself writes into a message is not sent by a client.
      const own = Object.entries(headers).filter(
        ([name]) => !/^(message-id|subscription|destination|expires|timestamp|priority|JMS_.*)$/.test(name),
      );
      await connection.request(
        'SEND',
        { ...Object.fromEntries(own.map(([name, value]) => [name, String(value)])), destination: topic },
        JSON.stringify(body),
      );
    },
    windowsOf,
    async decided(rule, count) {
      return until(async () => {
        const windows = await windowsOf(rule);
        return windows.length >= count && windows.every(isFinal) ? windows.at(-1) : false;
      }, `${count} decided windows of ${rule}`);
    },
    decisionsOn: async (eventId) =>
      (await decisions(`event=${eventId}`)).filter(({ event_id }) => event_id !== null),
    compose: async (id) => composeSchema.parse(await get(`/api/1/composes/${id}`)),
    composes,
    async repoquery(context, id) {
      const { result_repofile } = composeSchema.parse(await get(`/api/1/composes/${id}`));
      const repo = await (await fetch(result_repofile)).text();
      const url = /^baseurl=(.*)$/m.exec(repo)?.[1]?.replace('$basearch', 'x86_64') ?? assert.fail(repo);
      const host = makeHost(context, url);
      const format = '%{name}-%{version}-%{release}.%{arch}';
      const { status, output } = await host.dnf('-q', 'repoquery', '--qf', format);
      assert.equal(status, 0, output);
      return output.split('\n').filter(Boolean).sort();
    },
    get,
    stop,
  };
}

/** Runs the test's work and prints the decision trail, oldest first, whatever came of it. */
export async function withTrail(
  context: TestContext,
  scene: Scene,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } finally {
    const answer = await scene.get('/api/1/decisions?limit=1000');
    const { items } = z.object({ items: z.array(decisionSchema) }).parse(answer);
    for (const { rule, event_id, outcome, why } of items.toReversed()) {
      context.diagnostic(`${rule} ${event_id === null ? 'window' : `event ${event_id}`} ${outcome}: ${why}`);
    }
  }
}
