import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatConfig,
  joinConfig,
  releaseOfConfig,
  type ConfigParts,
} from '../../../src/composer/pungi/config-document.ts';

const files = new Map(
  Object.entries({
    'sub/main.conf':
      'release_name = "R"\nrelease_short = "r"\nrelease_version = "1"\nfrom other import *\npairs = [("a", {True: (1, None)}),]\n',
    'other.conf': 'koji_profile = "koji"\n',
    'main.json': '{"release_name": "J"}',
  }).map(([path, text]) => [path, Buffer.from(text)]),
);
const parts: ConfigParts = { files, file: 'sub/main.conf', prefix: 'x/', wrapper: null, dump: null };
const jsonOf = (given: Partial<ConfigParts>): unknown =>
  JSON.parse(formatConfig(joinConfig({ ...parts, ...given })));

const whole = {
  release_name: 'R',
  release_short: 'r',
  release_version: '1',
  koji_profile: 'koji',
  pairs: [['a', { true: [1, null] }]],
};

test('a configuration is read as it lies at the top, tuples as lists', () => {
  assert.deepEqual(jsonOf({}), whole);
  assert.deepEqual(jsonOf({ file: 'main.json' }), { release_name: 'J' });
  assert.throws(() => jsonOf({ file: 'absent.conf' }), { code: 'main.config_missing' });
});

test('a wrapper imports it as raw_config and has the last word', () => {
  const wrapper = 'from raw_config import *\nkoji_profile = "other"\n';
  assert.deepEqual(jsonOf({ wrapper }), { ...whole, koji_profile: 'other' });
});

test('a compose is made again by its own configuration, and by what the wrapper says today', () => {
  const dump = JSON.stringify({ release_name: 'D', koji_profile: 'koji' });
  assert.deepEqual(jsonOf({ dump }), JSON.parse(dump));
  const wrapper = 'from raw_config import *\nkoji_profile = "other"\n';
  assert.deepEqual(jsonOf({ dump, wrapper }), { release_name: 'D', koji_profile: 'other' });
  for (const broken of ['', '[]', '{']) {
    assert.throws(() => jsonOf({ dump: broken }), { code: 'pungi.dump_invalid' });
  }
});

test('a release is read with what it is layered on, and missed where it is not named', () => {
  const layered = new Map([
    ['release_name', 'R'],
    ['release_short', 'r'],
    ['release_version', '1'],
    ['release_type', 'EUS'],
    ['base_product_name', 'B'],
    ['base_product_short', 'b'],
    ['base_product_version', '9'],
  ]);
  const { baseProduct, type } = releaseOfConfig(layered);
  assert.equal(type, 'eus');
  assert.deepEqual(baseProduct, { name: 'B', short: 'b', version: '9', type: 'ga' });
  assert.throws(() => releaseOfConfig(new Map()), /it has no release_name/);
});
