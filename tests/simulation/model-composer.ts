import { createHash } from 'node:crypto';
import { findComposeRequest, type ComposeRequestRow } from '../../src/database/compose-requests.ts';
import { findLastOfSeries } from '../../src/database/composes.ts';
import type { Database } from '../../src/database/database.ts';
import { transaction } from '../../src/database/transaction.ts';
import { claimFingerprint, GENERATED } from '../../src/lifecycle/claim-fingerprint.ts';
import { createComposeOfRequest } from '../../src/lifecycle/create-compose.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { beginRequest, endHeldRequest, noteRequestPlanned } from '../../src/lifecycle/move-request.ts';
import { parseComposeRequest, requestDefaults } from '../../src/model/compose-request.ts';
import { toPriority, type ComposeRequest } from '../../src/model/compose.ts';
import { loadConfig } from '../../src/config.ts';
import type { StateHub } from '../upstream/koji/state-hub.ts';

/** Packages of a tag by name, and the event at which they are so. */
interface Content {
  readonly event: number;
  readonly builds: ReadonlyMap<string, string>;
}

/** What became of requests so far. */
export interface ComposerCounts {
  composed: number;
  unchanged: number;
  reused: number;
}

/**
 * Plans and makes the requests of rules as the composer does, but for the packages: what a compose would hold is a digest of what the hub
 * shows, and nothing is read or written. Lives of requests and composes are real.
 */
export class ModelComposer {
  readonly counts: ComposerCounts = { composed: 0, unchanged: 0, reused: 0 };
  readonly #database: Database;
  readonly #hub: StateHub;
  readonly #defaults = requestDefaults(
    loadConfig({ file: undefined, environment: {}, overrides: { arches: ['x86_64'] } }).config,
  );
  /** Requests that may not begin yet, in made-up time. */
  readonly #waiting = new Map<number, Date>();

  constructor(database: Database, hub: StateHub) {
    this.#database = database;
    this.#hub = hub;
  }

  /** Enqueues again what waited for its time. */
  async wake(now: Date): Promise<void> {
    for (const [id, at] of this.#waiting) {
      if (at > now) continue;
      this.#waiting.delete(id);
      await this.#database.jobs.send('request.run', { requestId: id }, { key: String(id) });
    }
  }

  /** Plans a request and makes its compose, if it is to be made. */
  async run(requestId: number): Promise<void> {
    const database = this.#database;
    const known = await findComposeRequest(database.kysely, requestId);
    if (known?.not_before != null && known.not_before > database.clock.now()) {
      this.#waiting.set(requestId, known.not_before);
      return;
    }
    const row = await transaction(database, (tx) => beginRequest(tx, requestId));
    if (row === undefined) return;
    const request = parseComposeRequest(row.body, this.#defaults);
    const { fingerprint, event } = await this.#plan(request);
    const last = await findLastOfSeries(database.kysely, row.series);
    await transaction(database, async (tx) => {
      await noteRequestPlanned(tx, row, { kojiEvent: event, tookFallback: false });
      if (row.unchanged === 'skip' && last?.fingerprint === fingerprint) {
        const why = `The same as compose ${last.id}.`;
        if (await endHeldRequest(tx, row, { outcome: 'unchanged', composeId: last.id, why }))
          this.counts.unchanged += 1;
        return;
      }
      await this.#compose(tx, { row, request, fingerprint, event });
    });
  }

  async #compose(
    tx: Parameters<typeof beginCompose>[0],
    {
      row,
      request,
      fingerprint,
      event,
    }: {
      readonly row: ComposeRequestRow;
      readonly request: ComposeRequest;
      readonly fingerprint: string;
      readonly event: number | null;
    },
  ): Promise<void> {
    const made = await createComposeOfRequest(
      tx,
      { owner: `rule:${row.rule}`, request, priority: toPriority(row.priority) },
      row,
    );
    const held = await beginCompose(tx, made.id);
    if (held === undefined) throw new Error(`compose ${made.id} was taken`);
    const claim = await claimFingerprint(tx, {
      held,
      compose: held.compose,
      fingerprint,
      pinned: { kojiEvent: event },
      pungiComposeId: `odcs-${made.id}-1-20260101.t.0`,
      lost: new Set(),
    });
    if (claim === 'build') await moveHeldCompose(tx, held, 'publish', { reason: GENERATED });
    this.counts[claim === 'build' ? 'composed' : 'reused'] += 1;
  }

  /** What the compose would hold. */
  async #plan(
    request: ComposeRequest,
  ): Promise<{ readonly fingerprint: string; readonly event: number | null }> {
    const asked = JSON.stringify([request.sourceType, request.source, request.builds, request.modules]);
    const digestOf = (lines: readonly string[]): string =>
      createHash('sha256')
        .update([asked, ...lines].join('\n'))
        .digest('hex');
    if (request.sourceType === 'tag') {
      const { builds, event } = this.#contentOf(request.source[0] ?? '');
      const names = request.packages;
      const lines =
        names === null
          ? [...builds].map(([name, nvr]) => `${name} ${nvr}`)
          : names.map((name) => `${name} ${builds.get(name) ?? ''}`);
      return { fingerprint: digestOf(lines.sort()), event };
    }
    if (request.sourceType === 'compose' || request.sourceType === 'definition') {
      const series = request.sourceType === 'compose' ? request.source : ['f45', 'f44-updates'];
      const parts = await Promise.all(series.map((name) => findLastOfSeries(this.#database.kysely, name)));
      return { fingerprint: digestOf(parts.map((part) => part?.fingerprint ?? '')), event: null };
    }
    return { fingerprint: digestOf([]), event: null };
  }

  /** The newest build of every package in a tag and those it inherits from. */
  #contentOf(tag: string): Content {
    const { tables } = this.#hub;
    const builds = new Map<string, string>();
    for (const name of tagsOf(tag).toReversed()) {
      const id = tables.findTag(name, null);
      if (id === undefined) continue;
      for (const { content } of tables.tagListing.at(null)) {
        if (content.tagId !== id) continue;
        const build = tables.builds.get(content.buildId);
        if (build !== undefined) builds.set(build.packageName, `${build.version}-${build.release}`);
      }
    }
    return { event: tables.events.last()?.id ?? 0, builds };
  }
}

/** A tag and those it inherits from, nearest first. */
function tagsOf(tag: string): readonly string[] {
  const [, release = ''] = /^(f\d+)/.exec(tag) ?? [];
  if (tag.includes('-side-')) return [tag];
  if (tag === release || tag.endsWith('-candidate')) return [tag];
  const updates = [`${release}-updates`, release];
  return tag === `${release}-updates` ? updates : [tag, ...updates];
}
