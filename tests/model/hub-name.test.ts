import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseComposeRequest } from '../../src/model/compose-request.ts';
import {
  groupByHub,
  hubOfBody,
  hubOfRequest,
  joinHub,
  pickHub,
  splitHub,
  withoutHub,
} from '../../src/model/hub-name.ts';
import { defaultRequest } from '../default-request.ts';

const defaults = {
  arches: ['x86_64'],
  sigkeys: [],
  secondsToLive: 86_400,
  maxSecondsToLive: 259_200,
  rawConfigNames: [],
  rawConfigLimits: {},
  baseModuleNames: [],
  targetDirs: [],
  hubs: ['brew', 'centos'],
};
const parse = (source: object) => parseComposeRequest({ source }, defaults);

test('a name says its hub before a colon, and is of the default one without', () => {
  assert.deepEqual(splitHub('brew:rhel-9-candidate'), { hub: 'brew', name: 'rhel-9-candidate' });
  assert.deepEqual(splitHub('f44'), { hub: null, name: 'f44' });
  assert.deepEqual(splitHub(':f44'), { hub: null, name: ':f44' });
  assert.deepEqual(splitHub('../x:f44'), { hub: null, name: '../x:f44' });
  assert.equal(joinHub('brew', 'f44'), 'brew:f44');
  assert.equal(joinHub(null, 'f44'), 'f44');
  assert.deepEqual(
    [...groupByHub(['brew:a', 'b', 'brew:c'])],
    [
      ['brew', ['a', 'c']],
      [null, ['b']],
    ],
  );
});

test('a hub that nobody configured is refused with those that are', () => {
  const hubs = new Map([
    [null, 1],
    ['brew', 2],
  ]);
  assert.equal(pickHub(hubs, null), 1);
  assert.throws(() => pickHub(hubs, 'centos'), { code: 'koji.hub_unknown', hint: 'Known are: brew.' });
});

test('one name of a request says the hub for all, and loses it for the hub itself', () => {
  const request = parse({ type: 'tag', source: 'brew:rhel-9', builds: ['a-1-1', 'brew:b-1-1'] });
  assert.deepEqual(request.source, ['brew:rhel-9'], 'the text as it was asked for');
  assert.equal(hubOfRequest(request), 'brew');
  const bare = withoutHub(request);
  assert.deepEqual([bare.source, bare.builds], [['rhel-9'], ['a-1-1', 'b-1-1']]);
  assert.equal(
    hubOfRequest(parse({ type: 'build', source: '', scratch_build_tasks: ['centos:12'] })),
    'centos',
  );
  assert.equal(hubOfRequest(parse({ type: 'tag', source: 'f44' })), null);
  const modules = parse({ type: 'module', source: 'nodejs:18', modular_koji_tags: ['brew:modules'] });
  assert.equal(hubOfRequest(modules), 'brew');
  assert.deepEqual(withoutHub(modules).source, ['nodejs:18'], 'a stream is no hub');
  assert.equal(hubOfRequest({ ...defaultRequest, sourceType: 'repo', source: ['http://x/'] }), null);
});

for (const [what, source, code] of [
  ['two hubs', { type: 'tag', source: 'brew:a', builds: ['centos:b-1-1'] }, 'koji.hubs_mixed'],
  ['a hub that is not configured', { type: 'tag', source: 'other:a' }, 'request.unknown_hub'],
  [
    'an unknown hub of a build',
    { type: 'build', source: '', builds: ['other:b-1-1'] },
    'request.unknown_hub',
  ],
  ['two colons', { type: 'tag', source: 'brew:a:b' }, 'request.invalid_name'],
  ['a path behind the hub', { type: 'tag', source: 'brew:../../a' }, 'request.invalid_name'],
  ['a path as the hub', { type: 'tag', source: '../brew:a' }, 'request.invalid_name'],
  ['a path as the hub of a build', { type: 'build', builds: ['../x:b-1-1'] }, 'request.invalid_name'],
  ['a slash behind the hub of a build', { type: 'build', builds: ['brew:b/c-1-1'] }, 'request.invalid_name'],
] as const) {
  test(`a request with ${what} is refused`, () => {
    assert.throws(() => parse(source), { code });
  });
}

test('the body of a rule says its hub as a request does', () => {
  assert.equal(hubOfBody({ source: { type: 'tag', source: 'brew:a' } }), 'brew');
  assert.equal(hubOfBody({ source: { type: 'module', source: 'nodejs:18' } }), null);
  assert.equal(hubOfBody({ source: { type: 'build', builds: ['a-1-1', 'brew:b-1-1'] } }), 'brew');
  assert.equal(hubOfBody({}), null);
});
