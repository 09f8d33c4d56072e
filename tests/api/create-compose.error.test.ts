import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
const call = api.withSettings({
  raw_config_urls: { pungi_cfg: { url: 'https://example.com/pungi.git', config_filename: 'pungi.conf' } },
});

const characters =
  "Only alphanumerical characters and [' ', '-', '/', '_', '.', ':', '#', '+', '?', '$', '~', '^'] characters are allowed in ODCS input variables";
const nothing =
  "Only dict, list, str, unicode, int, float and bool types are allowed in ODCS input variables, but 'x' has '<class 'NoneType'>' type";
const tag = { type: 'tag', source: 'f26' };

/** The sentences of ODCS for each body it refuses. Source: ODCS contract 3. */
const refusals: readonly [string, unknown, string][] = [
  ['an empty object', {}, 'No JSON POST data submitted'],
  ['an empty list', [], 'No JSON POST data submitted'],
  ['null', null, 'No JSON POST data submitted'],
  ['zero', 0, 'No JSON POST data submitted'],
  ['an empty string', '', 'No JSON POST data submitted'],
  ['false', false, 'No JSON POST data submitted'],
  ['a list', [1], 'The request should be a JSON object, received: [1]'],
  ['a number', 5, 'The request should be a JSON object, received: 5'],
  ['true', true, 'The request should be a JSON object, received: True'],
  ['a string', 'x', "The request should be a JSON object, received: 'x'"],
  ['builds as a string', { source: { ...tag, builds: 'a' } }, 'builds should be a list'],
  [
    'multilib_method as a string',
    { source: tag, multilib_method: 'all' },
    'multilib_method should be a list',
  ],
  ['packages as a string', { source: { ...tag, packages: 'ed' } }, 'packages should be a list'],
  ['packages as a number', { source: { ...tag, packages: 1 } }, 'packages should be a list'],
  [
    'scratch_build_tasks as a string',
    { source: { ...tag, scratch_build_tasks: '1' } },
    'scratch_build_tasks should be a list',
  ],
  [
    'scratch_modules as a string',
    { source: { ...tag, scratch_modules: 'a:b' } },
    'scratch_modules should be a list',
  ],
  ['sigkeys as a string', { source: { ...tag, sigkeys: 'abc' } }, 'sigkeys should be a list'],
  ['modules as a string', { source: { ...tag, modules: 'a:b' } }, 'modules should be a list'],
  [
    'base_module_br_name as a number',
    { source: { ...tag, base_module_br_name: 1 } },
    'base_module_br_name should be a string',
  ],
  [
    'base_module_br_stream as a number',
    { source: { ...tag, base_module_br_stream: 1 } },
    'base_module_br_stream should be a string',
  ],
  ['compose_type null', { source: tag, compose_type: null }, 'compose_type should be a string'],
  ['label null', { source: tag, label: null }, 'label should be a string'],
  ['target_dir as a list', { source: tag, target_dir: ['a'] }, 'target_dir should be a string'],
  ['type as a number', { source: { type: 1, source: 'f26' } }, 'type should be a string'],
  ['seconds_to_live as text', { source: tag, seconds_to_live: '60' }, 'seconds_to_live should be an integer'],
  [
    'seconds_to_live as a fraction',
    { source: tag, seconds_to_live: 1.5 },
    'seconds_to_live should be an integer',
  ],
  ['seconds_to_live null', { source: tag, seconds_to_live: null }, 'seconds_to_live should be an integer'],
  ['koji_event as text', { source: { ...tag, koji_event: '1' } }, 'koji_event should be an integer'],
  [
    'base_module_br_stream_version_lte as text',
    { source: { ...tag, base_module_br_stream_version_lte: '1' } },
    'base_module_br_stream_version_lte should be an integer',
  ],
  [
    'base_module_br_stream_version_gte as text',
    { source: { ...tag, base_module_br_stream_version_gte: '1' } },
    'base_module_br_stream_version_gte should be an integer',
  ],
  ['an object elsewhere', { source: tag, x: {} }, "Only 'source' key is allowed to contain dict."],
  ['an object within source', { source: { ...tag, x: {} } }, "Only 'source' key is allowed to contain dict."],
  ['an object in a list', { source: tag, flags: [{}] }, "Only 'source' key is allowed to contain dict."],
  ['a bad character', { source: { type: 'tag', source: 'f26;rm' } }, characters],
  ['a bad character in an unknown key', { source: tag, x: 'a&b' }, characters],
  ['a bad character before an unknown type', { x: '<', source: { type: 'nix' } }, characters],
  ['null in an unknown key', { source: tag, x: null }, nothing],
  ['null in a list', { source: tag, flags: [null] }, nothing.replace("'x'", "'0'")],
  [
    'seconds-to-live that is no number',
    { 'seconds-to-live': 'soon', source: tag },
    "Invalid seconds_to_live specified in request: {'seconds-to-live': 'soon', 'source': {'type': 'tag', 'source': 'f26'}}",
  ],
  [
    'a life below zero',
    { seconds_to_live: -5, source: tag },
    "Invalid seconds_to_live specified in request: {'seconds_to_live': -5, 'source': {'type': 'tag', 'source': 'f26'}}",
  ],
  ['no source', { flags: ['no_deps'] }, "Invalid source configuration provided: {'flags': ['no_deps']}"],
  ['source as text', { source: 'f26' }, "Invalid source configuration provided: {'source': 'f26'}"],
  [
    'no type',
    { source: { source: 'f26', packages: [] } },
    "Missing type in source configuration, received: {'source': 'f26', 'packages': []}",
  ],
  ['an unknown type', { source: { type: 'nix', source: 'f26' } }, 'Unknown source type "nix"'],
  [
    'a type of the prototype',
    { source: { type: 'constructor', source: 'f26' } },
    'Unknown source type "constructor"',
  ],
  ['tag without source', { source: { type: 'tag' } }, 'No source provided for 1'],
  ['module without source', { source: { type: 'module' } }, 'No source provided for 2'],
  ['repo with an empty source', { source: { type: 'repo', source: '' } }, 'No source provided for 3'],
  ['pulp with blanks only', { source: { type: 'pulp', source: '  ' } }, 'No source provided for 4'],
  ['source.source as a number', { source: { type: 'tag', source: 5 } }, 'source should be a string'],
  [
    'two raw_config sources',
    { source: { type: 'raw_config', source: 'a#b c#d' } },
    'Only single source is allowed for "raw_config" source_type',
  ],
  ...['pungi_cfg', 'pungi_cfg#', '#abc', 'a#b#c'].map((source): [string, unknown, string] => [
    `raw_config source ${source}`,
    { source: { type: 'raw_config', source } },
    'Source must be in "source_name#commit_hash" format for "raw_config" source_type.',
  ]),
  [
    'an unknown raw_config',
    { source: { type: 'raw_config', source: 'other#abc' } },
    'Source "other" does not exist in server configuration.',
  ],
  [
    'a module without stream',
    { source: { type: 'module', source: 'nodejs:18 testmodule' } },
    'Module definition must be in "n:s", "n:s:v" or "n:s:v:c" format, but got testmodule',
  ],
  [
    'a base module',
    { source: { type: 'module', source: 'platform:f26' } },
    'ODCS currently cannot create compose with base modules, but platform was requested.',
  ],
  ['an unknown flag', { source: tag, flags: ['no_deps', 'foo'] }, 'Unknown flag foo'],
  ['an unknown result', { source: tag, results: ['foo'] }, 'Unknown result foo'],
  ['an unknown multilib method', { source: tag, multilib_method: ['foo'] }, 'Unknown multilib method "foo"'],
  ['a number among the arches', { source: tag, arches: [5] }, 'arches should be a list of strings'],
  [
    'a number among the packages',
    { source: { ...tag, packages: [5] } },
    'packages should be a list of strings',
  ],
  [
    'module defaults without commit',
    { source: { ...tag, module_defaults_url: 'https://example.com/d' } },
    'The "module_defaults_url" and "module_defaults_commit" must be used together.',
  ],
  [
    'module defaults without url',
    { source: { ...tag, module_defaults_commit: 'abc' } },
    'The "module_defaults_url" and "module_defaults_commit" must be used together.',
  ],
  ['an unknown target_dir', { source: tag, target_dir: 'foo' }, 'Unknown "target_dir" "foo"'],
  ['a NUL in a package name', { source: { ...tag, packages: ['a\0'] } }, characters],
  ['half a character in a package name', { source: { ...tag, packages: ['\ud800'] } }, characters],
];

for (const [name, body, message] of refusals) {
  test(`POST with ${name} is refused as ODCS refuses it`, async () => {
    const { status, json } = await call('POST', '/api/1/composes/', { body });
    assert.deepEqual(
      [status, json['status'], json['error'], json['message']],
      [400, 400, 'Bad Request', message],
    );
    assert.match(String(json['code']), /^[a-z]+\.[a-z_]+$/);
  });
}

/** Source: ODCS contract 24; first release. */
const flatRefusals: readonly [unknown, string][] = [
  [{ source: 'f26' }, 'Missing source_type'],
  [{ source_type: 'tag' }, 'Missing source'],
  [{ source_type: 'x', source: 'f26' }, 'Unknown source_type x'],
  [
    { source_type: 'module', source: 'base-f26', packages: ['a'] },
    'Exact packages cannot be set for MODULE source type.',
  ],
];
for (const [body, message] of flatRefusals) {
  test(`the flat form ${JSON.stringify(body)} is refused with "${message}"`, async () => {
    const { status, json } = await call('POST', '/odcs/1/composes', { body });
    assert.deepEqual([status, json['message']], [400, message]);
  });
}

test('a body that is no JSON is refused, in the words of each address', async () => {
  for (const text of ['{', '', '{"source":', '\u0000']) {
    const now = await call('POST', '/api/1/composes/', { text });
    assert.deepEqual([now.status, now.json['message']], [400, 'Failed to decode JSON object']);
    const old = await call('POST', '/odcs/1/composes', { text });
    assert.deepEqual([old.status, old.json['message']], [400, 'Invalid JSON submitted']);
  }
});

test('a body nested 100,000 deep is refused and disturbs nothing', async () => {
  const text = `{"source":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const { status } = await call('POST', '/api/1/composes/', { text });
  assert.equal(status, 400);
});

test('a body of more than 16 MiB is refused', async () => {
  const { status, json } = await call('POST', '/api/1/composes/', { text: ' '.repeat(16 * 1024 * 1024 + 1) });
  assert.deepEqual([status, json['code']], [413, 'request.too_large']);
});

test('nothing that is refused is stored', async () => {
  const { json } = await call('GET', '/api/1/composes/');
  assert.deepEqual(json['items'], []);
});

test('an unknown address is 404 and a wrong method is 405 with Allow', async () => {
  const unknown = await call('GET', '/api/1/nothing');
  assert.deepEqual([unknown.status, unknown.json['code']], [404, 'request.unknown_url']);
  assert.equal((await call('GET', '/api/1/composes/seven')).status, 404);
  assert.equal((await call('GET', '/api/1/composes/5/')).status, 404);
  const wrong = await call('PUT', '/api/1/composes/5');
  assert.equal(wrong.status, 405);
  assert.equal(wrong.json['error'], 'Method Not Allowed');
  assert.deepEqual(wrong.headers.get('allow')?.split(', ').sort(), [
    'DELETE',
    'GET',
    'HEAD',
    'OPTIONS',
    'PATCH',
  ]);
  const options = await call('OPTIONS', '/api/1/composes/');
  assert.deepEqual([options.status, options.text], [200, '']);
  assert.match(options.headers.get('allow') ?? '', /GET.*POST|POST.*GET/);
});
