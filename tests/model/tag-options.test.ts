import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseComposeRequest } from '../../src/model/compose-request.ts';
import { tagOptionsJson, tagOptionsOf } from '../../src/model/tag-options.ts';
import { requestDefaults } from '../../src/model/compose-request.ts';
import { loadConfig } from '../../src/config.ts';

const { config } = loadConfig({ file: undefined, environment: {}, overrides: {} });

test('a request says how its builds are chosen, and one that says nothing has no such member', () => {
  const source = { type: 'tag', source: 'b a b', only: 'ed bash*', released_tag: 'r' };
  const request = parseComposeRequest({ source }, requestDefaults(config));
  assert.deepEqual(request.source, ['b', 'a']);
  assert.deepEqual(request.tagOptions, {
    only: ['ed', 'bash*'],
    except: [],
    unsignedArches: [],
    waitForSignaturesMs: 0,
    embargo: null,
    previousBuilds: null,
    releasedTag: 'r',
  });
  const plain = parseComposeRequest({ source: { type: 'tag', source: 'a' } }, requestDefaults(config));
  assert.equal('tagOptions' in plain, false);
});

test('what is shown of a request names no build under embargo', () => {
  const options = tagOptionsOf(
    {
      only: ['ed'],
      wait_for_signatures: '15m',
      embargo: { tags: ['e'], builds: ['openssl-3-4'], shipped_tags: ['s'] },
      previous_builds: { packages: ['ed'] },
    },
    'tag',
  );
  assert.ok(options);
  assert.deepEqual(tagOptionsJson(options), {
    only: ['ed'],
    wait_for_signatures: '900s',
    embargo: { tags: ['e'], shipped_tags: ['s'] },
    previous_builds: { packages: ['ed'], count: 1 },
  });
});

const refused: readonly (readonly [object, RegExp])[] = [
  [{ only: [7] }, /only should be a list of strings/],
  [{ except: { a: 1 } }, /except should be a list/],
  [{ only: ['../etc'] }, /cannot be a package name/],
  [{ unsigned_arches: ['../x'] }, /cannot be an arch/],
  [{ only: Array.from({ length: 1001 }, (_, at) => `p${at}`) }, /at most 1000 members/],
  [{ wait_for_signatures: 900 }, /a time like 90s or 15m/],
  [{ wait_for_signatures: '16m' }, /15m at most/],
  [{ wait_for_signatures: 'soon' }, /a time like/],
  [{ embargo: ['e'] }, /embargo should be an object/],
  [{ embargo: {} }, /should have tags or builds/],
  [{ embargo: { tags: ['e'], until: 'x' } }, /embargo has no "until", but tags, builds, shipped_tags/],
  [{ embargo: { tags: ['a/b'] } }, /tags should name tags/],
  [{ embargo: { tags: Array.from({ length: 21 }, (_, at) => `t${at}`) } }, /at most 20 members/],
  [{ embargo: { builds: ['a b', '/etc'] } }, /cannot be a package name/],
  [{ previous_builds: 1 }, /previous_builds should be an object/],
  [{ previous_builds: { packages: [] } }, /should name packages/],
  [{ previous_builds: { packages: ['ed'], count: 11 } }, /whole number from 1 to 10/],
  [{ released_tag: 7 }, /released_tag should name tags/],
  [{ released_tag: '' }, /released_tag should name tags/],
];

test('what is no way to choose builds is refused in a sentence', () => {
  for (const [given, sentence] of refused) {
    assert.throws(() => tagOptionsOf({ ...given }, 'tag'), sentence, JSON.stringify(given));
  }
});

test('only tags have such options', () => {
  assert.throws(() => tagOptionsOf({ only: ['ed'], except: [] }, 'repo'), {
    code: 'request.tag_options_elsewhere',
    message: 'Only a source of type tag can have "only", "except".',
  });
});
