import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorthRetrying } from '../../src/composer/compose-failure.ts';
import { toDatabaseFailure } from '../../src/database/database-failure.ts';

function failureOf(message: string, code?: string): string | undefined {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code });
  const failure = toDatabaseFailure(error);
  if (failure === undefined) return undefined;
  assert.equal(failure.fate, 'retry');
  assert.equal(failure.cause, error);
  assert.match(failure.message, /^The database .*\.( \(.*\))?$/);
  return failure.code;
}

test('what may pass is told by what PostgreSQL says', () => {
  assert.equal(failureOf('canceling statement due to lock timeout', '55P03'), 'database.busy');
  assert.equal(failureOf('canceling statement due to statement timeout', '57014'), 'database.busy');
  assert.equal(failureOf('deadlock detected', '40P01'), 'database.busy');
  assert.equal(
    failureOf('terminating connection due to idle-in-transaction timeout', '25P03'),
    'database.busy',
  );
  assert.equal(failureOf('sorry, too many clients already', '53300'), 'database.crowded');
  assert.equal(failureOf('could not extend file', '53100'), 'database.full');
  assert.equal(failureOf('terminating connection due to administrator command', '57P01'), 'database.away');
  assert.equal(failureOf('the database system is starting up', '57P03'), 'database.away');
  assert.equal(failureOf('connection failure', '08006'), 'database.away');
  assert.equal(failureOf('cannot execute INSERT in a read-only transaction', '25006'), 'database.read_only');
  assert.equal(failureOf('password authentication failed', '28P01'), 'database.refused');
});

test('what may pass is told by what the network and the client say', () => {
  assert.equal(failureOf('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'), 'database.away');
  assert.equal(failureOf('getaddrinfo EAI_AGAIN db', 'EAI_AGAIN'), 'database.away');
  assert.equal(failureOf('Connection terminated unexpectedly'), 'database.away');
  assert.equal(failureOf('Connection terminated due to connection timeout'), 'database.away');
  assert.equal(failureOf('timeout expired'), 'database.away');
  assert.equal(failureOf('timeout exceeded when trying to connect'), 'database.crowded');
  const both = new AggregateError([Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })]);
  assert.equal(toDatabaseFailure(both)?.code, 'database.away');
});

test('an answer to the statement stays what it is', () => {
  assert.equal(failureOf('duplicate key value', '23505'), undefined);
  assert.equal(failureOf('invalid byte sequence', '22021'), undefined);
  assert.equal(failureOf('column does not exist', '42703'), undefined);
  assert.equal(failureOf('x is not a function'), undefined);
});

test('a database that was away does not use up the few attempts of what nobody foresaw', () => {
  const away = toDatabaseFailure(new Error('Connection terminated unexpectedly'));
  assert.equal(isWorthRetrying(away, { isLast: false, number: 9 }), true);
  assert.equal(isWorthRetrying(new Error('x is not a function'), { isLast: false, number: 9 }), false);
});
