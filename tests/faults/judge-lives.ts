import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { query } from './query.ts';

/** What clients were promised. */
export interface Asked {
  readonly composes: readonly number[];
  /** Those of them whose cancellation was asked for, whether or not that was heard. */
  readonly cancelled: ReadonlySet<number>;
  readonly events: readonly number[];
}

/** What is wrong; all of it is 0 where every life is fenced and none is lost. */
export interface LivesVerdict {
  /** Composes that were accepted and are not there, events that led to no request, two composes of one key. */
  readonly lost: number;
  /** Announced twice, or with two ends; a directory of a compose that shows another one's. */
  readonly doubled: number;
  /** Composes and requests that have not ended. */
  readonly stuck: number;
  /** Composes that failed though nobody cancelled them. */
  readonly failed: number;
  /** Directories of composes that are not done, and done composes without a whole directory. */
  readonly halfPublished: number;
  /** Hidden directories, and links to nothing. */
  readonly leftovers: number;
  /** Jobs of composes and requests that wait or run. */
  readonly deadJobs: number;
}

export interface Judgement {
  readonly verdict: LivesVerdict;
  /** What each count is of, for people. */
  readonly findings: readonly string[];
  readonly done: number;
  readonly reused: number;
  readonly requests: number;
  /** The most attempts at one compose. */
  readonly attempts: number;
}

const composeRow = z.object({
  id: z.coerce.number(),
  state: z.string(),
  state_reason: z.string().nullable(),
  reused_id: z.coerce.number().nullable(),
  cancel_requested_by: z.string().nullable(),
  attempt: z.coerce.number(),
});
type ComposeRow = z.infer<typeof composeRow>;

/** Looks through the tables and the target directory. */
export async function judgeLives(
  { databaseUrl, target }: { readonly databaseUrl: string; readonly target: string },
  asked: Asked,
): Promise<Judgement> {
  const ask = (text: string): Promise<Record<string, unknown>[]> => query(databaseUrl, text);
  const composes = (
    await ask('select id, state, state_reason, reused_id, cancel_requested_by, attempt from composes')
  ).map((row) => composeRow.parse(row));
  const requests = await ask('select id, state, causes from compose_requests');
  const found = {
    lost: listLost(composes, requests, asked),
    doubled: [...(await listAnnouncedTwice(ask)), ...listOwnDirectories(composes, target)],
    stuck: [
      ...composes.filter(({ state }) => !isEnd(state)).map(describe),
      ...requests
        .filter(({ state }) => state === 'pending' || state === 'running')
        .map(({ id, state }) => `request ${id}: ${state}`),
    ],
    failed: composes
      .filter((compose) => compose.state === 'failed' && !wasCancelled(compose, asked))
      .map(describe),
    halfPublished: listHalfPublished(composes, target),
    leftovers: listLeftovers(target),
    deadJobs: (
      await ask(
        `select name, state, singleton_key from pgboss.job
         where name in ('compose.run', 'request.run') and state in ('created', 'retry', 'active')`,
      )
    ).map((job) => `${job['name']} ${job['singleton_key']}: ${job['state']}`),
  };
  return {
    verdict: {
      lost: found.lost.length,
      doubled: found.doubled.length,
      stuck: found.stuck.length,
      failed: found.failed.length,
      halfPublished: found.halfPublished.length,
      leftovers: found.leftovers.length,
      deadJobs: found.deadJobs.length,
    },
    findings: Object.entries(found).flatMap(([kind, all]) => all.map((text) => `${kind}: ${text}`)),
    done: composes.filter(({ state }) => state === 'done').length,
    reused: composes.filter(({ reused_id: shown }) => shown !== null).length,
    requests: requests.length,
    attempts: Math.max(0, ...composes.map(({ attempt }) => attempt)),
  };
}

function describe({ id, state, state_reason: reason, attempt }: ComposeRow): string {
  return `compose ${id}, attempt ${attempt}: ${state}, ${reason ?? ''}`;
}

function isEnd(state: string): boolean {
  return state === 'done' || state === 'failed' || state === 'removed';
}

/** Whether its failure is what somebody asked for, for it or for the one it waited for. */
function wasCancelled(compose: ComposeRow, asked: Asked): boolean {
  return asked.cancelled.has(compose.id) && (compose.state_reason ?? '').startsWith('Canceled by');
}

function listLost(
  composes: readonly ComposeRow[],
  requests: readonly Record<string, unknown>[],
  asked: Asked,
): string[] {
  const known = new Set(composes.map(({ id }) => id));
  const causes = new Set(requests.flatMap((request) => z.array(z.number()).parse(request['causes'])));
  return [
    ...asked.composes.filter((id) => !known.has(id)).map((id) => `compose ${id}`),
    ...asked.composes
      .filter((id, at) => asked.composes.indexOf(id) !== at)
      .map((id) => `compose ${id} twice`),
    ...asked.events.filter((id) => !causes.has(id)).map((id) => `event ${id}`),
  ];
}

async function listAnnouncedTwice(
  ask: (text: string) => Promise<Record<string, unknown>[]>,
): Promise<string[]> {
  const rows = await ask(
    `select compose_id, case when state in ('done', 'failed') then 'end' else state end as told, count(*)::int as count
     from announcements group by 1, 2 having count(*) > 1
     union all
     select (event ->> 'id')::bigint, 'event ' || (event ->> 'state'), count(*)::int
     from events where kind = 'compose.state' group by 1, 2, bus having count(*) > 1`,
  );
  return rows.map((row) => `compose ${row['compose_id']}: ${row['told']} was told ${row['count']} times`);
}

function shownIds(target: string): number[] {
  return readdirSync(target).flatMap((name) => {
    const id = /^odcs-(\d+)$/.exec(name)?.[1];
    return id === undefined ? [] : [Number(id)];
  });
}

/** Directories of composes that show another one's. */
function listOwnDirectories(composes: readonly ComposeRow[], target: string): string[] {
  const sharers = new Map(composes.map((compose) => [compose.id, compose.reused_id]));
  return shownIds(target)
    .filter((id) => (sharers.get(id) ?? null) !== null)
    .map((id) => `odcs-${id} is there, and shown is odcs-${sharers.get(id)}`);
}

function listHalfPublished(composes: readonly ComposeRow[], target: string): string[] {
  const rows = new Map(composes.map((compose) => [compose.id, compose]));
  const done = composes.filter(({ state }) => state === 'done');
  const living = new Set(done.map(({ id, reused_id: shown }) => shown ?? id));
  return [
    ...shownIds(target)
      .filter((id) => !living.has(id))
      .map((id) => `odcs-${id} is there, and it is ${rows.get(id)?.state ?? 'unknown'}`),
    ...[...living].flatMap((id) => faultOf(join(target, `odcs-${id}`)) ?? []),
  ];
}

/** What is wrong with a published directory; null where it is whole. */
function faultOf(directory: string): string | null {
  const name = basename(directory);
  if (!existsSync(directory)) return `${name} is not there`;
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const status = entries.find((entry) => basename(entry) === 'STATUS');
  if (status === undefined) return `${name} has no STATUS`;
  if (readFileSync(join(directory, status), 'utf8') !== 'FINISHED\n') return `${name} is not FINISHED`;
  const repomds = entries.filter((entry) => basename(entry) === 'repomd.xml');
  if (repomds.length === 0) return `${name} has no repodata`;
  for (const repomd of repomds) {
    const repository = dirname(dirname(join(directory, repomd)));
    const data = readFileSync(join(directory, repomd), 'utf8').matchAll(
      /<checksum type="sha256">([0-9a-f]+)<\/checksum>[\s\S]*?<location href="([^"]+)"/g,
    );
    let files = 0;
    for (const [, checksum, href] of data) {
      files += 1;
      const file = join(repository, href ?? '');
      if (!existsSync(file)) return `${name} lacks ${href}`;
      const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
      if (digest !== checksum) return `${name} has a wrong ${href}`;
    }
    if (files < 3) return `${name} has ${files} files of repodata`;
    if (!entries.some((entry) => entry.endsWith('.rpm'))) return `${name} has no packages`;
  }
  return null;
}

function listLeftovers(target: string): string[] {
  return readdirSync(target).filter((name) => {
    if (name.startsWith('.odcs-')) return true;
    return name.startsWith('latest-odcs-') && !existsSync(join(target, readlinkSync(join(target, name))));
  });
}
