import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql } from './postgresql.ts';

const packages = ensurePackages(postgresqlPackages);

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test(
  'a PostgreSQL of the tests keeps its rows over a restart and over a crash',
  { skip: !packages.ready },
  async () => {
    const service = await startPostgresql();
    try {
      await query(service.url, 'create table t (n int); insert into t values (1)');
      await service.restart();
      await query(service.url, 'insert into t values (2)');
      await service.kill();
      await assert.rejects(query(service.url, 'select 1'));
      await service.restart();
      assert.deepEqual(await query(service.url, 'select n from t order by n'), [{ n: 1 }, { n: 2 }]);
    } finally {
      await service.stop();
    }
  },
);
