import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { residentMegabytesOf } from '../attack/process-facts.ts';
import type { RestartedServe } from '../faults/restarted-serve.ts';
import { query } from '../faults/query.ts';
import type { SoakSample } from './judge-soak.ts';

export interface SoakPlaces {
  readonly databaseUrl: string;
  readonly processes: readonly RestartedServe[];
  readonly folder: string;
}

const MIB = 2 ** 20;
const facts = z.object({ waiting: z.coerce.number(), bytes: z.coerce.number() });
const tableNames = z.array(z.object({ name: z.string() }));
const counted = z.array(z.object({ name: z.string(), count: z.coerce.number() }));

const WAITING = `select pg_database_size(current_database()) as bytes,
  (select count(*) from events where stage <> 'done') +
  (select count(*) from settle_windows where decided_at is null) +
  (select count(*) from composes where state in ('wait', 'generating')) +
  (select count(*) from announcements where finished_at is null) +
  (select count(*) from pgboss.job where state < 'completed') as waiting`;

/** Looks at everything once. `at` is seconds since the beginning, `work` what was asked for so far. */
export async function sampleSoak(
  { databaseUrl, processes, folder }: SoakPlaces,
  { at, work }: Pick<SoakSample, 'at' | 'work'>,
): Promise<SoakSample> {
  const ask = (text: string): Promise<Record<string, unknown>[]> => query(databaseUrl, text);
  const tables = tableNames.parse(
    await ask(`select format('%I.%I', schemaname, tablename) as name from pg_tables
               where schemaname = 'public' or (schemaname = 'pgboss' and tablename = 'job')`),
  );
  const rows = counted.parse(
    await ask(
      tables
        .map(({ name }) => `select '${name}' as name, count(*) as count from ${name}`)
        .join(' union all '),
    ),
  );
  const { waiting, bytes } = facts.parse((await ask(WAITING))[0]);
  return {
    at,
    work,
    memory: Object.fromEntries(processes.map(({ name, pid }) => [name, residentMegabytesOf(pid)])),
    handles: Object.fromEntries(processes.map(({ name, pid }) => [name, countHandles(pid)])),
    rows: Object.fromEntries(rows.map(({ name, count }) => [name.replace(/^public\./, ''), count])),
    databaseMib: bytes / MIB,
    diskMib: diskBytes(folder) / MIB,
    waiting,
  };
}

/** Returns how many files and sockets a process has open, 0 where it is gone. */
function countHandles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Returns what lies below a directory, each file once; what goes away meanwhile is left out. */
function diskBytes(directory: string, seen = new Set<number>()): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        bytes += diskBytes(path, seen);
        continue;
      }
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined || seen.has(stat.ino)) continue;
      seen.add(stat.ino);
      bytes += stat.blocks * 512;
    }
  } catch {
    return bytes;
  }
  return bytes;
}
