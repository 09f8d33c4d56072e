import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { z } from 'zod';
import { makeOdcsDatabase } from '../tests/commands/import-odcs/odcs-database.ts';
import { startPostgresql } from '../tests/services/postgresql.ts';
import { noteFigure } from './figures.ts';
import { measureProgram } from './measure-program.ts';

const COMPOSES = 1_000_000;
const SHORT_COMPOSES = 20_000;
/** What the kernel counts a second of CPU in, on every Linux that matters. */
const TICKS = 100;
const reported = z.object({ imported: z.number() });

/** Writes an ODCS database as years of image builds leave it behind: tags, modules and lists of builds, mostly removed. */
function fillOdcsDatabase(path: string, composes: number): void {
  const odcs = makeOdcsDatabase(path, '0.2.52');
  odcs.exec(`
    pragma journal_mode = off;
    pragma synchronous = off;
    with recursive ids(id) as (select 1 union all select id + 1 from ids where id < ${composes})
    insert into composes (id, owner, source_type, source, state, state_reason, results, flags, packages, builds,
      time_submitted, time_started, time_done, time_to_expire, time_removed, arches, sigkeys, target_dir,
      compose_type, pungi_compose_id, koji_event, reused_id)
    select id, 'osbs-' || (id % 40), case id % 4 when 0 then 2 when 1 then 5 else 1 end,
      'product-' || (id % 900) || '-candidate', case when id > ${composes} - 500 then 2 when id % 17 = 0 then 4 else 3 end,
      'Compose is generated successfully', 1, 0, 'bash glibc openssl-libs python3 systemd',
      'bash-5.2.' || (id % 99) || '-1.fc44 openssl-3.2.' || (id % 77) || '-5.fc44',
      datetime('2019-01-01', '+' || (id * 4) || ' minutes') || '.123456',
      datetime('2019-01-01', '+' || (id * 4 + 1) || ' minutes') || '.2',
      datetime('2019-01-01', '+' || (id * 4 + 6) || ' minutes') || '.3',
      datetime('2019-01-02', '+' || (id * 4) || ' minutes') || '.4',
      case when id > ${composes} - 500 then null else datetime('2019-01-02', '+' || (id * 4 + 3) || ' minutes') end,
      'x86_64 s390x', 'FD431D51 ABC12345', '/srv/composes', 'test', 'odcs-' || id || '-1-20261120.0', 100000 + id,
      case when id % 5 = 0 then id - 1 end
    from ids`);
  odcs.close();
}

/** Returns the seconds of CPU that a PostgreSQL took so far: of its server, and of all connections, ended ones too. */
async function cpuSecondsOfServer(url: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const server = statOf(String(rows[0]?.pid ?? 0))?.parent ?? '0';
  let ticks = 0;
  for (const pid of readdirSync('/proc')) {
    const stat = /^\d+$/.test(pid) ? statOf(pid) : undefined;
    if (stat === undefined) continue;
    if (pid === server) ticks += stat.own + stat.ended;
    else if (stat.parent === server) ticks += stat.own;
  }
  await client.end();
  return ticks / TICKS;
}

/** Returns the parent of a process and its CPU time in ticks; undefined where it is gone. */
function statOf(pid: string): { parent: string; own: number; ended: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    const at = (field: number): number => Number(fields[field - 3]);
    return { parent: fields[1] ?? '0', own: at(14) + at(15), ended: at(16) + at(17) };
  } catch {
    return undefined;
  }
}

/**
 * `import [--short] [--composes N]`: takes over the composes of an ODCS, a million (20,000 with `--short`), into a new
 * database of PostgreSQL. Fails where any of them is not there afterwards.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { short: { type: 'boolean', default: false }, composes: { type: 'string' } },
  });
  const composes = Number(values.composes ?? (values.short ? SHORT_COMPOSES : COMPOSES));
  const folder = mkdtempSync(join(tmpdir(), 'bench-import-'));
  const postgresql = await startPostgresql();
  try {
    const file = join(folder, 'odcs.db');
    fillOdcsDatabase(file, composes);
    const { url } = postgresql;
    const before = await cpuSecondsOfServer(url);
    const main = join(import.meta.dirname, '..', 'src', 'main.ts');
    const taken = measureProgram('env', [
      `ODCS_DATABASE_URL=${url}`,
      `ODCS_DATA_DIR=${join(folder, 'data')}`,
      process.execPath,
      main,
      'import-odcs',
      file,
      '--target-dir',
      'default=/srv/composes',
      '--json',
    ]);
    const server = (await cpuSecondsOfServer(url)) - before;
    const { imported } = reported.parse(JSON.parse(taken.stdout));
    if (imported !== composes) throw new Error(`${imported} composes were imported, not ${composes}.`);
    const cpu = taken.cpuMs / 1000;
    process.stdout.write(
      `${composes} composes of an ODCS imported: ${(taken.wallMs / 1000).toFixed(1)} s wall, ${cpu.toFixed(1)} s of CPU ` +
        `and ${server.toFixed(1)} s of PostgreSQL's, ${Math.round(taken.peakMib)} MB\n`,
    );
    noteFigure({
      id: 'import.odcs',
      what: `${composes.toLocaleString('en-US')} composes of an ODCS imported, PostgreSQL's part with it`,
      ours: { wallMs: taken.wallMs, cpuMs: taken.cpuMs + server * 1000, peakMib: taken.peakMib },
      peers: [],
    });
  } finally {
    await postgresql.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
