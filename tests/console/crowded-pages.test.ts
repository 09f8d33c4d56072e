import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { storeManifest } from '../../src/database/manifests.ts';
import { fingerprintOf, manifestLineOf, manifestOf } from '../../src/model/fingerprint.ts';
import { givenCompose } from '../api/compose-rows.ts';
import { openTestApi } from '../api/open-test-api.ts';

const ROWS = 10_000;
/** A page that a browser draws at once, also on a phone. */
const MOST_BYTES = 300_000;
/** Milliseconds of CPU for one page; what was seen is a tenth to a third. */
const MOST_CPU_MS = 1_000;

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
await api.reset();

const packageLines = Array.from({ length: ROWS }, (_nothing, index) =>
  manifestLineOf({
    variant: 'Temporary',
    arch: 'x86_64',
    kind: 'binary',
    nevra: `package-${String(index).padStart(5, '0')}-0:1-1.x86_64`,
    payload: `sha256:${index}`,
    sigkey: null,
    fileName: '',
    reference: '',
  }),
);
const manifest = manifestOf({
  variants: [],
  trees: [{ variant: 'Temporary', arch: 'x86_64' }],
  documents: [],
  packageLines,
  options: {},
});
const fingerprint = fingerprintOf(manifest);
await storeManifest(api.database, fingerprint, manifest);
const large = await givenCompose(
  api,
  { state: 'done', time_done: api.now, fingerprint },
  {
    source: {
      type: 'tag',
      source: 'f44',
      packages: Array.from({ length: 2_000 }, (_nothing, index) => `package-${index}`),
    },
  },
);
const { rows } = await sql<{ names: string }>`
  select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns
  where table_schema = current_schema() and table_name = 'composes'
    and is_generated = 'NEVER' and is_identity = 'NO' and column_name <> 'id'`.execute(api.database.kysely);
const names = rows[0]?.names ?? assert.fail('there are no columns');
await sql`insert into composes (${sql.raw(names)})
  select ${sql.raw(names)} from composes, generate_series(1, ${sql.lit(ROWS)}) where id = ${large}`.execute(
  api.database.kysely,
);
await sql`insert into events (bus, message_id, topic, raw_topic, received_at, instance, kind, event, headers, body)
  select 'fedora', 'm' || n, 'koji.tag', 'buildsys.tag', ${api.now}::timestamptz - n * interval '1 second', 'fedora', 'koji.tag',
    jsonb_build_object('kind', 'koji.tag', 'tag', 'f44', 'package', 'p' || n, 'nvr', 'p' || n || '-1-1', 'side_tag', false),
    '{}', '{}' from generate_series(1, ${sql.lit(ROWS)}) as n`.execute(api.database.kysely);

for (const [what, path, expected] of [
  ['the overview', '/', /Overview/],
  ['the newest composes', '/console/composes', /compose|f44/],
  ['composes far back', '/console/composes?page=150', /f44/],
  ['the newest events', '/console/events', /p10000-1-1/],
  ['a compose of 10,000 packages', `/console/composes/${large}`, /package-00000/],
  ['what is found in it', `/console/composes/${large}?q=package-09999`, /package-09999/],
  ['what is found of a package', '/find?q=p9999', /p9999-1-1/],
] as const) {
  test(`${what}: a page of some size, in short time, whatever there is`, async () => {
    const before = process.cpuUsage();
    const { status, text } = await api.call('GET', path);
    const { user, system } = process.cpuUsage(before);
    assert.equal(status, 200);
    assert.match(text, expected);
    const cpu = Math.round((user + system) / 1000);
    const told = `${path}: ${Buffer.byteLength(text)} bytes, ${cpu} ms of CPU`;
    assert.ok(Buffer.byteLength(text) < MOST_BYTES, told);
    assert.ok(cpu < MOST_CPU_MS, told);
  });
}
