import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../src');

/** Calls of libraries, SQL, values that are set, and values that are compared with a default. */
const allowed = /\b(?:getIn|decode|getUint\d+|set|setOptionValue|unless|coalesce|fill)\(/;

/** The same for nothing: values of SQL and of libraries, timers, what is written unless it is that, and values that are set. */
const nothingAllowed =
  /'is(?: not)?', null|\b(?:setTimeout|pause|wait|sleep|stringify|update|unless|textOr|#set|set|resolve|fetch)\(/;

/** Every line of code; defaults of settings are values in a table. */
const lines = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('settings.ts'))
  .flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .map((line, at) => ({ line: line.trim(), place: `${path}:${at + 1}` })),
  )
  .filter(({ line }) => !/^(?:\*|\/\/|\/\*)/.test(line));

test('no call has a bare null or undefined behind other arguments: what may be left out is left out', () => {
  const found = lines
    .filter(
      ({ line }) => /\w\([^()]*, (?:null|undefined)[,)]/.test(line) || /^(?:null|undefined),$/.test(line),
    )
    .filter(({ line }) => !nothingAllowed.test(line))
    .map(({ place, line }) => `${place}: ${line}`);
  assert.deepEqual(found, []);
});

test('no call has a bare true or false behind other arguments: its name says what it means', () => {
  const found = lines
    // The last argument of a call on one line, or one that has a line of its own.
    .filter(({ line }) => /, (?:true|false)\)/.test(line) || /^(?:true|false),?$/.test(line))
    .filter(({ line }) => !allowed.test(line))
    .map(({ place, line }) => `${place}: ${line}`);
  assert.deepEqual(found, []);
});
