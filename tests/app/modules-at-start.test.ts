import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { test } from 'node:test';

/** What a service reads only once it needs it: each costs every process 10 to 30 MB and a tenth of a second or more. */
const later = [
  '/node_modules/undici/',
  '/node_modules/jose/',
  '/node_modules/amqplib/',
  '/node_modules/stompit/',
  '/node_modules/ldapts/',
  '/node_modules/commander/',
  '/node_modules/@electric-sql/pglite/',
  '/src/composer/main/',
];

const listing = `
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
await import(process.argv[1]);
process.stdout.write(JSON.stringify(loaded), () => process.exit(0));
`;

test('a process of the service starts without what only some settings and requests need', () => {
  const reactor = pathToFileURL(join(import.meta.dirname, '../../src/app/reactor.ts')).href;
  const written = execFileSync(process.execPath, ['--input-type=module', '-e', listing, reactor], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const loaded: unknown = JSON.parse(written);
  assert.ok(Array.isArray(loaded));
  assert.ok(loaded.some((url) => String(url).includes('/node_modules/hono/')));
  for (const part of later) {
    assert.deepEqual(
      loaded.filter((url) => String(url).includes(part)),
      [],
      part,
    );
  }
});
