import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '../../src/model/errors.ts';

test('the message of an error, of a plain copy of one, and of anything else is one line of text', () => {
  assert.equal(messageOf(new Error('connect ECONNREFUSED')), 'connect ECONNREFUSED');
  assert.equal(messageOf({ message: 'connect ECONNREFUSED', queue: 'compose.run' }), 'connect ECONNREFUSED');
  assert.equal(messageOf('gone'), 'gone');
});
