import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { renderWrapper } from '../../../src/composer/pungi/render-wrapper.ts';
import { composeJson } from '../../../src/model/compose-json.ts';
import { defaultRequest } from '../../default-request.ts';
import { givenCompose } from './given-compose.ts';

const json = composeJson(
  givenCompose({
    request: { ...defaultRequest, sourceType: 'raw_config', source: ['fix#abc'], builds: ['a-1-1', 'b-2-1'] },
  }),
  { default: 'http://x', extra: {} },
);
const context = { python: 'python3', signal: new AbortController().signal };
const hasJinja = spawnSync('python3', ['-c', 'import jinja2']).status === 0;

test('a wrapper without anything to fill in needs no Python', async () => {
  assert.equal(
    await renderWrapper({ ...context, python: '/nowhere' }, 'a = {"b": 1}\n', json),
    'a = {"b": 1}\n',
  );
});

test(
  "a wrapper is filled in with the compose as ODCS's was",
  { skip: hasJinja ? false : 'Python has no jinja2 here' },
  async () => {
    const template =
      'from raw_config import *\n{%- if compose["builds"] %}\npkgset_koji_builds = [{% for nvr in compose.builds.split(" ") %}"{{ nvr }}",{% endfor %}]\n{%- endif %}\n';
    assert.equal(
      await renderWrapper(context, template, json),
      'from raw_config import *\npkgset_koji_builds = ["a-1-1","b-2-1",]',
    );
    await assert.rejects(renderWrapper(context, '{% if %}', json), {
      code: 'pungi.wrapper',
      message: /TemplateSyntaxError/,
    });
  },
);

test('a Python that is not there is told', async () => {
  await assert.rejects(renderWrapper({ ...context, python: '/nowhere/python' }, '{{ compose.id }}', json), {
    code: 'pungi.wrapper',
    message: /there is no program \/nowhere\/python/,
  });
});
