import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import type { Clock } from '../../../src/clock.ts';
import type { Config } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';
import { startReactor, type Reactor } from '../../../src/app/reactor.ts';
import { parseRpmHeader } from '../../../src/rpm/header/rpm-header.ts';
import { sigkeyOf } from '../../../src/rpm/header/sigkey.ts';
import { until } from '../../listeners/listening.ts';
import type { BusMessage } from '../../upstream/koji/hub-state/bus-message.ts';
import { startHubServer } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';
import { kojiServiceConfig } from '../koji-service-config.ts';

const decisionSchema = z.object({
  rule: z.string(),
  event_id: z.number().nullable(),
  compose_id: z.number().nullable(),
  outcome: z.string(),
  why: z.string(),
});
/** One decision as the API tells it. */
export type Decision = z.infer<typeof decisionSchema>;

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string(),
  source: z.string(),
  koji_event: z.number().nullable(),
  owner: z.string(),
});
const eventSchema = z.object({ kind: z.string().nullable(), bus: z.string(), instance: z.string() });

/** A clock that runs on and can be put forward. */
class SceneClock implements Clock {
  #offset = 0;

  now(): Date {
    return new Date(Date.now() + this.#offset);
  }

  advance(milliseconds: number): void {
    this.#offset += milliseconds;
  }
}

/** The text of a rule: what it reacts to, further lines, and the source that it composes. */
export function ruleText(
  name: string,
  lines: { readonly on: string; readonly more?: string; readonly source: string },
): string {
  return `version: 1
name: ${name}
owner: rel-eng
description: A rule of a scenario.
mode: active
on:
${lines.on}
settle: 20ms
${lines.more ?? ''}series: '${name}'
compose:
  source: ${lines.source}
`;
}

/**
 * A reactor beside a hub of its own: the hub's messages are posted to the reactor's webhook, and both tell the same
 * time. Time passes by itself and by `lookAgain`.
 */
export class KojiScene {
  readonly hub: StateHub;
  /** Hubs beside the default one, as `koji_hubs` calls them. */
  readonly hubs: ReadonlyMap<string, StateHub>;
  /** Hubs whose history cannot be looked through, and the rules that cannot be swept for that. */
  readonly away = { hubs: new Set<string>(), rules: new Set<string>() };
  readonly #config: Config;
  readonly #clock: SceneClock;
  #reactor: Reactor | null = null;

  constructor(
    hub: StateHub,
    config: Config,
    clock: SceneClock,
    hubs: ReadonlyMap<string, StateHub> = new Map(),
  ) {
    this.hub = hub;
    this.hubs = hubs;
    this.#config = config;
    this.#clock = clock;
    hub.messages.onMessage((message) => this.#post(message));
    for (const [name, other] of hubs) {
      other.messages.onMessage((message) => {
        const topic = message.topic.replace('org.fedoraproject.', `org.${name}.`);
        return this.#post({ ...message, topic });
      });
    }
  }

  get reactor(): Reactor {
    return this.#reactor ?? assert.fail('the reactor does not run');
  }

  async start(): Promise<void> {
    const input = { config: this.#config, clock: this.#clock, log: createLog('silent') };
    const began = this.#clock.now();
    this.#reactor = await startReactor(input);
    await this.#looked(began);
    await this.quiet();
  }

  async stop(): Promise<void> {
    await this.#reactor?.stop();
    this.#reactor = null;
  }

  /**
   * Lets time pass and starts the reactor again: the start looks through Koji's history and sweeps every rule that
   * asks for it. Returns when all that came of it is decided and composed.
   */
  async lookAgain(milliseconds = 90_000): Promise<void> {
    await this.#settled();
    await this.stop();
    this.#clock.advance(milliseconds);
    await this.start();
  }

  async #settled(): Promise<void> {
    for (const hub of [this.hub, ...this.hubs.values()]) await hub.messages.settled();
  }

  async #post({ topic, body, messageId }: BusMessage): Promise<void> {
    const response = await fetch(`${this.reactor.url}/api/1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic, body, id: messageId }),
    });
    assert.equal(response.status, 202, await response.text());
  }

  /** Waits until the history was looked through and the rules were swept since a time. */
  async #looked(since: Date): Promise<void> {
    const { kysely } = this.reactor.database;
    const set = this.reactor.rules?.set ?? assert.fail('no rules run');
    const swept = set.rules
      .filter(({ name, reconcileMs }) => reconcileMs !== null && !this.away.rules.has(name))
      .map(({ name }) => name);
    await until(async () => {
      const looks = await kysely.selectFrom('reconcile_cursors').select('updated_at').execute();
      const sweeps = await kysely
        .selectFrom('rule_clocks')
        .selectAll()
        .where('clock', '=', 'sweep')
        .execute();
      const made = new Set(sweeps.filter(({ last_at }) => last_at >= since).map(({ rule }) => rule));
      const looked = looks.filter(({ updated_at }) => updated_at >= since);
      const expected = 1 + this.hubs.size - this.away.hubs.size;
      return looked.length >= expected && swept.every((rule) => made.has(rule));
    }, 'a look through the history and the sweeps');
  }

  /** Waits until every message is matched, every window decided and every compose ended. */
  async quiet(): Promise<void> {
    await this.#settled();
    const { kysely } = this.reactor.database;
    await until(
      async () => {
        const counts = await Promise.all([
          kysely
            .selectFrom('events')
            .select('id')
            .where('kind', 'is not', null)
            .where('matched_at', 'is', null)
            .execute(),
          kysely.selectFrom('settle_windows').select('id').where('decided_at', 'is', null).execute(),
          kysely
            .selectFrom('compose_requests')
            .select('id')
            .where('state', 'in', ['pending', 'running'])
            .execute(),
          kysely.selectFrom('composes').select('id').where('time_done', 'is', null).execute(),
        ]);
        return counts.every(({ length }) => length === 0);
      },
      'quiet',
      180,
    );
  }

  async #get(path: string): Promise<unknown> {
    return (await fetch(`${this.reactor.url}${path}`)).json();
  }

  /** Decisions on windows and on single events, oldest first. */
  async decisions(): Promise<readonly Decision[]> {
    const schema = z.object({ items: z.array(decisionSchema) });
    return schema.parse(await this.#get('/api/1/decisions?limit=1000')).items.toReversed();
  }

  /** How the windows of a rule ended, oldest first. */
  async windows(): Promise<readonly Decision[]> {
    return (await this.decisions()).filter(({ event_id }) => event_id === null);
  }

  /** The events that came in, newest first. */
  async events(): Promise<readonly z.infer<typeof eventSchema>[]> {
    const schema = z.object({ items: z.array(eventSchema) });
    return schema.parse(await this.#get('/api/1/events?per_page=500')).items;
  }

  /** The composes, oldest first. */
  async composes(): Promise<readonly z.infer<typeof composeSchema>[]> {
    const schema = z.object({ items: z.array(composeSchema) });
    return schema.parse(await this.#get('/api/1/composes/?order_by=id&per_page=100')).items;
  }

  /** Asks for a compose and returns the answer once it has ended. */
  async request(source: object): Promise<z.infer<typeof composeSchema>> {
    const response = await fetch(`${this.reactor.url}/api/1/composes/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ source }),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    const { id } = z.object({ id: z.number() }).parse(JSON.parse(text));
    await this.quiet();
    const ended = (await this.composes()).find((compose) => compose.id === id);
    return ended ?? assert.fail('the compose is not listed');
  }

  /** Triggers a rule by hand. */
  async trigger(rule: string): Promise<void> {
    const response = await fetch(`${this.reactor.url}/api/1/rules/${rule}/trigger`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'a scenario' }),
    });
    assert.equal(response.status, 200, await response.text());
    await this.quiet();
  }

  /** The binary RPMs of the newest compose, `name-version-release.arch key`, sorted; '' where there is none yet. */
  async composed(): Promise<string> {
    const newest = (await this.composes()).at(-1);
    if (newest === undefined) return '';
    assert.equal(newest.state_name, 'done', newest.state_reason);
    const { reused_id } = await this.reactor.database.kysely
      .selectFrom('composes')
      .select('reused_id')
      .where('id', '=', newest.id)
      .executeTakeFirstOrThrow();
    const tree = join(
      this.#config.target_dir,
      `odcs-${reused_id ?? newest.id}`,
      'compose/Temporary/x86_64/os/Packages',
    );
    return readdirSync(tree, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.rpm'))
      .map((file) => {
        const path = join(tree, file);
        const name = file.slice(file.lastIndexOf('/') + 1).replace('.x86_64.rpm', '');
        return `${name} ${sigkeyOf(parseRpmHeader(readFileSync(path), path)) ?? 'unsigned'}`;
      })
      .sort()
      .join(', ');
  }
}

/**
 * Opens a scene on a hub that `prepare` has filled before the reactor first starts. Prints every decision when the test
 * ends, whatever came of it.
 */
export async function openKojiScene(
  context: TestContext,
  input: {
    readonly rules: readonly string[];
    readonly prepare: (hub: StateHub) => void;
    /** Fills the hubs beside the default one, by name. */
    readonly others?: Readonly<Record<string, (hub: StateHub) => void>>;
  },
): Promise<KojiScene> {
  const directory = mkdtempSync(join(tmpdir(), 'koji-decisions-'));
  const topDir = join(directory, 'top');
  const clock = new SceneClock();
  const hub = new StateHub({ content: 'empty', topDir, clock: () => clock.now().getTime() / 1000 });
  input.prepare(hub);
  const server = await startHubServer(hub.answer);
  mkdirSync(join(directory, 'rules'));
  for (const [index, text] of input.rules.entries()) {
    writeFileSync(join(directory, 'rules', `${/^name: (.*)$/m.exec(text)?.[1] ?? index}.yaml`), text);
  }
  const profile = { server: server.url, topdir: topDir };
  const names = Object.keys(input.others ?? {});
  const config = await kojiServiceConfig(directory, profile, {
    rules_dir: join(directory, 'rules'),
    koji_hubs: Object.fromEntries(names.map((name) => [name, name])),
  });
  const hubs = new Map<string, StateHub>();
  const servers = [server];
  for (const [name, prepare] of Object.entries(input.others ?? {})) {
    const top = join(directory, `top-${name}`);
    const other = new StateHub({
      content: 'empty',
      topDir: top,
      clock: () => clock.now().getTime() / 1000,
    });
    prepare(other);
    hubs.set(name, other);
    const otherServer = await startHubServer(other.answer);
    servers.push(otherServer);
    appendFileSync(join(directory, 'koji.conf'), `[${name}]\nserver = ${otherServer.url}\ntopdir = ${top}\n`);
  }
  const scene = new KojiScene(hub, config, clock, hubs);
  context.after(async () => {
    for (const { rule, event_id, outcome, why } of await scene.decisions()) {
      context.diagnostic(`${rule} ${event_id === null ? 'window' : `event ${event_id}`} ${outcome}: ${why}`);
    }
    await scene.stop();
    for (const server of servers) await server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  await scene.start();
  return scene;
}

/** Fills a hub with a release tag, an updates tag that inherits from it, and builds of four packages. */
export function fillWithUpdates(hub: StateHub): void {
  hub.addTag('f44');
  hub.addTag('f44-updates', { parents: ['f44'] });
  for (const name of ['kappa', 'lambda', 'delta', 'upd']) hub.addPackage('f44', name);
  for (const nvr of ['kappa-1-1', 'kappa-2-1', 'lambda-1-1', 'delta-1-1', 'upd-2-1', 'upd-6-1'])
    hub.importBuild(nvr);
  hub.tag('f44', 'upd-2-1');
}

/** A rule that follows `f44-updates` and all that it inherits from. */
export const followUpdates = ruleText('follow', {
  on: '  - event: koji.tag\n    match: { feeds: f44-updates }\n  - event: koji.untag\n    match: { feeds: f44-updates }',
  more: 'reconcile: 1m\n',
  source: '{ type: tag, source: f44-updates }',
});
