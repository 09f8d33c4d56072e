import type { SourceType } from '../../src/source-types.ts';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeManifest } from '../../src/database/manifests.ts';
import { recordProcess } from '../../src/database/processes.ts';
import { pauseRule } from '../../src/database/rule-pauses.ts';
import { transaction, type UnitOfWork } from '../../src/database/transaction.ts';
import { createCompose, createComposeOfRequest } from '../../src/lifecycle/create-compose.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { beginRequest, endHeldRequest } from '../../src/lifecycle/move-request.ts';
import type { ComposeRequest } from '../../src/model/compose.ts';
import type { DomainEvent } from '../../src/model/event.ts';
import { formatRepoFile } from '../../src/rpm/productmd.ts';
import type { TestApi } from '../api/open-test-api.ts';
import { atTime } from '../database/at-time.ts';
import { defaultRequest } from '../default-request.ts';
import { storeEvent, type Engine } from '../rules/engine.ts';
import { tagEvent, updateEvent } from '../rules/input-event.ts';
import { seededFingerprint, seededManifest, seededReasons } from './seeded-packages.ts';
import { seededStages, stagesOf } from './seeded-stages.ts';

const MINUTE = 60_000;
/** What the clock of the service shows when the day is over. */
export const NOW = new Date();

/** Numbers of what is worth looking at. */
export interface ShownNumbers {
  readonly event: number;
  readonly compose: number;
  readonly previous: number;
  readonly running: number;
  readonly failed: number;
  readonly removed: number;
}

/** The day: what comes in, what rules decide, what is made of it. */
export class Day {
  readonly #api: TestApi;
  readonly #engine: Engine;
  readonly #unsigned: Set<string>;
  #release = 2;
  #build = 100;

  constructor(api: TestApi, engine: Engine, unsigned: Set<string>) {
    this.#api = api;
    this.#engine = engine;
    this.#unsigned = unsigned;
  }

  async tell(): Promise<ShownNumbers> {
    await this.#processes();
    const packages = [
      'vim',
      'curl',
      'systemd',
      'kernel',
      'dnf5',
      'glibc',
      'python3.14',
      'rpm',
      'pam',
      'gnutls',
    ];
    // A quiet night and a busy morning: a build enters now and then.
    for (const [at, name] of packages.entries()) {
      await this.#tag(1380 - at * 120, name, `${2 + at}.1-1.fc44`);
      await this.#settle(1365 - at * 120, at % 3 === 1 ? 'unchanged' : 'composed');
    }
    await this.#receive(700, {
      kind: 'mbs.module',
      id: 4711,
      name: 'nodejs',
      stream: '22',
      version: '4420261130',
      context: 'a1b2c3d4',
      nsvc: 'nodejs:22:4420261130:a1b2c3d4',
      state: 'ready',
      owner: 'sgallagh',
    });
    await this.#settle(690, 'failed');
    const [previous = 0] = await this.#lastOf('f44-updates');
    this.#unsigned.add('openssl-3.2.1-5.fc44');
    const event = await this.#tag(95, 'openssl', '3.2.1-5.fc44', 'bodhi');
    await this.#tag(93, 'openssl-fips-provider', '3.2.1-2.fc44', 'bodhi');
    await this.#settle(82, 'composed', ['openssl', 'openssl-libs'], 5);
    const [compose = 0] = await this.#lastOf('f44-updates');
    await this.#receive(
      71,
      updateEvent({
        alias: 'FEDORA-2026-0a1b2c3d4e',
        severity: 'urgent',
        cves: ['CVE-2026-31337'],
        builds: [{ nvr: 'openssl-3.2.1-5.fc44', package: 'openssl' }],
      }),
    );
    await this.#settle(68, 'composed', ['openssl', 'openssl-libs'], 5);
    await this.#settle(60, 'composed');
    const removed = await this.#ask(1300, {
      source: 'f43-updates',
      packages: ['httpd', 'mod_ssl'],
      owner: 'osbs',
    });
    await this.#end(removed, 1290, 'done');
    await this.#remove(removed, 300);
    const failed = await this.#ask(45, {
      source: 'f44-updates-testing',
      packages: ['podman', 'buildah', 'skopeo'],
      owner: 'osbs',
    });
    await this.#end(failed, 44, 'failed');
    const freshmaker = await this.#ask(30, {
      source: 'f44',
      packages: ['openssl', 'httpd', 'nginx'],
      owner: 'freshmaker',
    });
    await this.#end(freshmaker, 29, 'done');
    await this.#tag(6, 'kernel', '7.1.4-200.fc44', 'bodhi');
    await this.#tag(4, 'kernel-tools', '7.1.4-200.fc44', 'bodhi');
    const running = await this.#ask(3, {
      source: 'f45-build-side-98765',
      packages: null,
      owner: 'churchyard',
    });
    await this.#begin(running, 2);
    await this.#ask(2, { source: 'f44', packages: ['rust', 'cargo'], owner: 'decathorpe' });
    await this.#ask(1, { source: 'eln-build', packages: null, owner: 'osbs' });
    await pauseRule(this.#api.database.kysely, {
      rule: 'container-updates-f43',
      by: 'kevin',
      reason: 'Mass rebuild of F43 images is under way',
      now: this.#time(50),
    });
    await this.#poison(12);
    return { event, compose, previous, running, failed, removed };
  }

  #time(minutesAgo: number): Date {
    return new Date(NOW.getTime() - minutesAgo * MINUTE);
  }

  async #receive(minutesAgo: number, event: DomainEvent): Promise<number> {
    const at = this.#time(minutesAgo);
    const topic =
      event.kind === 'bodhi.update'
        ? 'bodhi.update.complete.stable'
        : event.kind === 'mbs.module'
          ? 'mbs.module.state.change'
          : 'buildsys.tag';
    return this.#engine.receive(event, at, {
      bus: 'fedora-messaging',
      topic,
      rawTopic: `org.fedoraproject.prod.${topic}`,
    });
  }

  async #tag(minutesAgo: number, name: string, version: string, user = 'releng'): Promise<number> {
    this.#build += 1;
    return this.#receive(
      minutesAgo,
      tagEvent({
        package: name,
        nvr: `${name}-${version}`,
        build_id: 2_900_000 + this.#build,
        user,
        owner: 'maintainer',
      }),
    );
  }

  async #poison(minutesAgo: number): Promise<void> {
    const id = await storeEvent(this.#api.database, { kind: 'other' }, this.#time(minutesAgo), {
      topic: 'buildsys.tag',
    });
    await this.#api.database.kysely
      .updateTable('events')
      .set({ kind: null, event: null, reason: 'The body has no "tag".' })
      .where('id', '=', id)
      .execute();
  }

  /** Lets windows end, and ends whatever they asked for. */
  async #settle(
    minutesAgo: number,
    outcome: 'composed' | 'unchanged' | 'failed',
    changing: readonly string[] = ['vim-minimal', 'vim-data'],
    release?: number,
  ): Promise<void> {
    await this.#engine.advance(this.#time(minutesAgo));
    const pending = await this.#api.database.kysely
      .selectFrom('compose_requests')
      .selectAll()
      .where('state', '=', 'pending')
      .execute();
    for (const { id } of pending)
      await this.#answer(id, minutesAgo, { outcome, changing, release: release ?? (this.#release += 1) });
    // Chains: a compose that is done wakes rules in its turn.
    const events = await this.#api.database.kysely
      .selectFrom('events')
      .select('id')
      .where('bus', '=', 'internal')
      .where('stage', '<>', 'done')
      .execute();
    for (const { id } of events) await this.#engine.match(id, this.#time(minutesAgo - 1));
    const waiting = await this.#engine.advance(this.#time(minutesAgo - 3));
    if (waiting.includes('requested')) {
      const rows = await this.#api.database.kysely
        .selectFrom('compose_requests')
        .selectAll()
        .where('state', '=', 'pending')
        .execute();
      for (const { id } of rows)
        await this.#answer(id, minutesAgo - 3, {
          outcome: 'composed',
          changing,
          release: release ?? this.#release,
        });
    }
  }

  async #answer(
    id: number,
    minutesAgo: number,
    how: {
      readonly outcome: 'composed' | 'unchanged' | 'failed';
      readonly changing: readonly string[];
      readonly release: number;
    },
  ): Promise<void> {
    const row = await this.#at(minutesAgo, (tx) => beginRequest(tx, id));
    if (row === undefined) return;
    const [last] = await this.#lastOf(row.series);
    if (how.outcome === 'unchanged' && last !== undefined) {
      const why = `The same packages and options as compose ${last}, which lives until 2026-12-02T10:00:00Z at least.`;
      await this.#at(minutesAgo, (tx) =>
        endHeldRequest(tx, row, { outcome: 'unchanged', composeId: last, why }),
      );
      return;
    }
    const source = Object(row.body['source']);
    const request: ComposeRequest = {
      ...defaultRequest,
      sourceType: toSourceType(source.type),
      source: String(source.source).split(' '),
      packages: source.packages ?? null,
      arches: ['x86_64', 'aarch64'],
      secondsToLive: 172_800,
    };
    const compose = await this.#at(minutesAgo, (tx) =>
      createComposeOfRequest(tx, { owner: `rule:${row.rule}`, request, priority: 'normal' }, row),
    );
    await this.#end(compose.id, minutesAgo, how.outcome === 'failed' ? 'failed' : 'done', how);
  }

  async #ask(
    minutesAgo: number,
    asked: { readonly source: string; readonly packages: readonly string[] | null; readonly owner: string },
  ): Promise<number> {
    const request: ComposeRequest = {
      ...defaultRequest,
      sourceType: 'tag',
      source: [asked.source],
      packages: asked.packages,
      secondsToLive: 86_400,
    };
    const compose = await this.#at(minutesAgo, (tx) =>
      createCompose(tx, { owner: asked.owner, request, priority: 'normal' }),
    );
    return compose.id;
  }

  async #begin(id: number, minutesAgo: number): Promise<void> {
    await this.#at(minutesAgo, (tx) => beginCompose(tx, id));
    const progress = JSON.stringify({ stage: 'repodata', done: 1439, total: 1895, unit: 'packages' });
    const stages = JSON.stringify({
      begun: this.#time(minutesAgo).toISOString(),
      stages: seededStages.running,
    });
    await this.#api.database.kysely
      .updateTable('composes')
      .set({ progress, stages })
      .where('id', '=', id)
      .execute();
  }

  async #end(
    id: number,
    minutesAgo: number,
    to: 'done' | 'failed',
    how: { readonly changing: readonly string[]; readonly release: number } = { changing: [], release: 1 },
  ): Promise<void> {
    const held = await this.#at(minutesAgo, (tx) => beginCompose(tx, id));
    if (held === undefined) throw new Error(`Compose ${id} cannot begin.`);
    if (to === 'failed') {
      const reason =
        'Packages are not signed with any of the wanted keys: podman-5.7.0-2.fc44, buildah-1.42.0-1.fc44. Wait for their signatures, or allow unsigned ones with an empty key.';
      const stages = stagesOf(this.#time(minutesAgo), seededStages.failed);
      await this.#at(minutesAgo - 0.4, (tx) => moveHeldCompose(tx, { ...held, stages }, 'fail', { reason }));
      return;
    }
    const lines = seededManifest(how.release, how.changing);
    const fingerprint = seededFingerprint(lines);
    await storeManifest(this.#api.database, fingerprint, [...lines]);
    const isUpdate = how.changing.includes('openssl');
    const stages = stagesOf(this.#time(minutesAgo), seededStages.done);
    await this.#at(minutesAgo - 0.7, (tx) =>
      moveHeldCompose(tx, { ...held, stages }, 'publish', {
        reason: 'Compose is generated successfully',
        pinned: {
          fingerprint,
          kojiEvent: 1_795_900_000 + id,
          pungiComposeId: `odcs-${id}-1-20261130.t.0`,
          ...(isUpdate
            ? { changedImages: { images: ['fedora-minimal', 'fedora-toolbox', 'httpd-24'], more: false } }
            : {}),
        },
      }),
    );
    this.#write(id, isUpdate);
  }

  #write(id: number, isUpdate: boolean): void {
    const root = join(this.#api.targetDir, `odcs-${id}`);
    mkdirSync(join(root, 'logs/global'), { recursive: true });
    mkdirSync(join(root, 'compose/Temporary'), { recursive: true });
    writeFileSync(join(root, 'STATUS'), 'FINISHED\n');
    writeFileSync(join(root, 'logs/global/why.json'), seededReasons());
    writeFileSync(
      join(root, `compose/Temporary/odcs-${id}.repo`),
      formatRepoFile(`odcs-${id}`, [{ id: `odcs-${id}`, baseurl: 'http://odcs.example.com/composes' }], []),
    );
    if (!isUpdate) return;
    const advisory = {
      id: 'FEDORA-2026-0a1b2c3d4e',
      type: 'security',
      severity: 'urgent',
      title: 'openssl-3.2.1-5.fc44: forged certificates are refused',
      cves: ['CVE-2026-31337'],
      issued: '2026-11-30',
      updated: '2026-11-30',
      arches: ['x86_64'],
      packages: ['openssl-libs-1:3.2.1-5.fc44.x86_64'],
    };
    writeFileSync(join(root, 'logs/global/advisories.json'), `${JSON.stringify([advisory])}\n`);
  }

  async #remove(id: number, minutesAgo: number): Promise<void> {
    await this.#api.database.kysely
      .updateTable('composes')
      .set({ state: 'removed', removed_by: 'osbs', time_removed: this.#time(minutesAgo) })
      .where('id', '=', id)
      .execute();
  }

  async #lastOf(series: string): Promise<readonly number[]> {
    const rows = await this.#api.database.kysely
      .selectFrom('composes')
      .select('id')
      .where('series', '=', series)
      .where('state', '=', 'done')
      .orderBy('id', 'desc')
      .limit(1)
      .execute();
    return rows.map(({ id }) => id);
  }

  async #processes(): Promise<void> {
    const offers = { sourceTypes: [], results: [] };
    for (const [host, roles] of [
      ['odcs-api-01', ['api']],
      ['odcs-listen-01', ['listener', 'rules']],
      ['odcs-compose-02', ['composer', 'janitor']],
    ] as const) {
      await recordProcess(this.#api.database.kysely, {
        id: randomUUID(),
        host,
        version: '1.2.3',
        roles: [...roles],
        offers,
        skewMs: host === 'odcs-compose-02' ? 4200 : 12,
      });
    }
    // They have run for a while, by the clock that the pages go by.
    await this.#api.database.kysely
      .updateTable('processes')
      .set({ started_at: this.#time(3 * 1440), last_seen: this.#time(0.05) })
      .execute();
  }

  #at<T>(minutesAgo: number, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return transaction(atTime(this.#api.database, this.#time(minutesAgo)), work);
  }
}

function toSourceType(type: unknown): SourceType {
  return type === 'module' || type === 'compose' ? type : 'tag';
}
