// Runs once: it reads sources.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../src');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Returns the files in which a pattern is found, in order. */
function holding(pattern: RegExp): readonly string[] {
  return sources.flatMap(({ path, text }) => (pattern.test(text) ? [path] : [])).sort();
}

test('undici is used by the one client alone, and what Node fetches by itself by nothing', () => {
  assert.deepEqual(holding(/(?:from|import\() ?'undici'/), ['upstream/http/http-client.ts']);
  // What pages do in a browser is text here; servers are given a function of this name.
  assert.deepEqual(
    holding(
      /(?:await|return|=>|=|\?|:|\() fetch\((?!request, bindings)|globalThis\.fetch|new (?:EventSource|WebSocket)\(/,
    ),
    ['api/console/pages-script-text.ts'],
  );
});

test('requests by hand are made for the calls of a Koji hub alone, which are parsed while they come', () => {
  const requesting =
    /import \{[^}]*\brequest\b[^}]*\} from 'node:https?'|import (?:\* as )?https? from|createRemoteJWKSet/;
  assert.deepEqual(holding(requesting), ['upstream/koji/hub-transport.ts']);
});

test('raw connections are made to the database and to brokers alone', () => {
  const connecting =
    /new (?:Socket|TLSSocket)\(|\b(?:net|tls)\.connect\(|import \{[^}]*\bconnect\b[^}]*\} from 'node:(?:net|tls)'/;
  assert.deepEqual(holding(connecting), ['database/postgresql-connections.ts']);
});
