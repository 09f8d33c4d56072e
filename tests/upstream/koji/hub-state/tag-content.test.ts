import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HubRow, rowsOf } from '../../../../src/upstream/koji/hub-row.ts';
import type { XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { serveRecorded } from '../serve-recorded.ts';
import { makeRecordedPopulation } from './recorded-population.ts';

const hub = makeRecordedPopulation();

/** The recordings whose answer follows from the tags, links, packages and taggings alone. */
const inheritance = '048 049 051 052 053 054 055 056 057 058 059 061 334'.split(' ');
const parents = ['042', '043', '044', '045'];
const contents =
  '063 064 066 067 068 069 070 071 073 077 078 079 080 088 089 090 091 092 093 098 333 117 118'.split(' ');

const told = (value: XmlRpcValue): string[] =>
  rowsOf(value, 'builds').map((row) => {
    const build = new HubRow(row, 'a build');
    return `${build.text('nvr')} ${build.text('tag_name')} ${build.integer('create_event')}`;
  });

for (const number of [...inheritance, ...parents]) {
  const { name, call, value } = serveRecorded(number);
  test(`the inheritance is walked as the recorded hub did: ${name}`, () => {
    const answer = hub.answer(call);
    assert.ok('value' in answer);
    assert.deepEqual(answer.value, value);
  });
}

test('the descendants of a tag are found as the recorded hub did, those made later left out', () => {
  const { call, value } = serveRecorded('060');
  const answer = hub.answer(call);
  assert.ok('value' in answer);
  const rows = rowsOf(answer.value, 'links').filter(
    (row) => new HubRow(row, 'a link').text('name') !== 't-leak',
  );
  assert.deepEqual(rows, value);
});

for (const number of contents) {
  const { name, call, value } = serveRecorded(number);
  test(`a tag holds what the recorded hub said: ${name}`, () => {
    const answer = hub.answer(call);
    assert.ok('value' in answer);
    assert.deepEqual(told(answer.value), told(value));
  });
}
