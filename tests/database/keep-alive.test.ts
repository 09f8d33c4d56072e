import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sql } from 'kysely';
import { Client } from 'pg';
import { openTestDatabase } from './open-test-database.ts';

const url = process.env['ODCS_TEST_DATABASE_URL'] ?? '';

/** The timers that the kernel has for the connections to a port of the loopback, by their local port. Source: proc(5). */
function timersOfConnections(port: number): Map<number, string> {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found = new Map<number, string>();
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local = '', to, state, , timer = ''] = line.trim().split(/\s+/);
    if (to === remote && state === ESTABLISHED) {
      found.set(Number.parseInt(local.split(':')[1] ?? '', 16), timer.split(':')[0] ?? '');
    }
  }
  return found;
}
const ESTABLISHED = '01';
/** As the kernel counts them; 1 is of something sent that nobody has confirmed. */
const KEEP_ALIVE = '02';

test(
  'the kernel asks after every connection to the database that is silent',
  { skip: url === '' ? 'the embedded database has no connections' : false },
  async () => {
    await using database = await openTestDatabase();
    const answer = await sql<{ name: string }>`select current_database() as name`.execute(database.kysely);
    const name = answer.rows[0]?.name;
    const client = new Client({ connectionString: url });
    await client.connect();
    // Of the statements, of the queue of jobs and of whoever watches whether the database is there.
    const { rows } = await client.query<{ application: string; port: number }>(
      `select application_name as application, client_port as port from pg_stat_activity
       where application_name like 'odcs-reactor %' and datname = $1`,
      [name],
    );
    await client.end();
    const timers = timersOfConnections(Number(new URL(url).port));
    assert.deepEqual([...new Set(rows.map(({ application }) => application))].toSorted(), [
      'odcs-reactor jobs',
      'odcs-reactor statements',
      'odcs-reactor watch',
    ]);
    for (const { application, port } of rows) assert.equal(timers.get(port), KEEP_ALIVE, application);
  },
);
