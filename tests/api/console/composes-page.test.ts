// Runs once: no database decides how the page is drawn.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { givenCompose } from '../compose-rows.ts';
import { openTestApi } from '../open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

test('a state that is none is refused with those there are, as a page', async () => {
  const { status, text } = await api.call('GET', '/console/composes?state=finished');
  assert.equal(status, 400);
  assert.match(text, /There is no state .*finished/);
  assert.match(text, /wait, generating, done, removed, failed/);
});

test('the form and the links keep what is looked for, and the state in sight is marked', async () => {
  const { text } = await api.call('GET', '/console/composes?state=failed&owner=ann&series=base');
  assert.match(text, /<input type="hidden" name="state" value="failed" \/>/);
  const current = [...text.matchAll(/<a href="([^"]*)" aria-current="page"\s*>([^<]*)</g)];
  const states = current.filter(([, , name]) => name === 'failed');
  assert.equal(states.length, 1);
  assert.match(states[0]?.[1] ?? '', /\?state=failed&(?:amp;)?owner=ann&(?:amp;)?series=base$/);
  assert.match(text, /\/console\/composes\?owner=ann&(?:amp;)?series=base"/, 'all states of the same');
});

test('without a state none is kept, and all are marked', async () => {
  const { text } = await api.call('GET', '/console/composes');
  assert.doesNotMatch(text, /name="state"/);
  assert.match(text, /aria-current="page"\s*>all</);
});

test('the page of a compose loads itself again only while it is made', async () => {
  for (const [state, isLive] of [
    ['wait', true],
    ['generating', true],
    ['done', false],
    ['failed', false],
  ] as const) {
    const id = await givenCompose(api, { state });
    const { text } = await api.call('GET', `/console/composes/${id}`);
    assert.equal(/<meta http-equiv="refresh"/.test(text), isLive, state);
  }
});

test('only composes of the state that is looked for are listed', async () => {
  const [failed, done] = [
    await givenCompose(api, { state: 'failed' }),
    await givenCompose(api, { state: 'done' }),
  ];
  const { text } = await api.call('GET', '/console/composes?state=failed');
  assert.match(text, new RegExp(`/console/composes/${failed}"`));
  assert.doesNotMatch(text, new RegExp(`/console/composes/${done}"`));
});
