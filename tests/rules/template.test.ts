import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReactorError } from '../../src/model/errors.ts';
import { fillName, fillTemplate, parseTemplate } from '../../src/rules/template.ts';
import { inputEvent, tagEvent, updateEvent } from './input-event.ts';

const tag = (nvr: string, tagName = 'f44') => inputEvent(tagEvent({ nvr, tag: tagName }));

test('a lone placeholder keeps its type, one in a text becomes part of it', () => {
  const source = { group: { tag: 'f44' }, events: [inputEvent(tagEvent({ koji_event: 42 }))] };
  assert.deepEqual(
    fillTemplate(
      {
        source: { type: 'tag', source: '${tag}', koji_event: '${event.koji_event}' },
        label: 'from-${event.package}',
      },
      source,
    ),
    { source: { type: 'tag', source: 'f44', koji_event: 42 }, label: 'from-openssl' },
  );
});

test('events of the window yield a sorted list without doubles', () => {
  const source = {
    group: {},
    events: [
      inputEvent(updateEvent()),
      inputEvent(
        updateEvent({
          builds: [
            { nvr: 'bash-5.2-1.fc44', package: 'bash' },
            { nvr: 'curl-8.11.1-3.fc44', package: 'curl' },
          ],
        }),
      ),
    ],
  };
  assert.deepEqual(fillTemplate({ source: { type: 'build', builds: '${events.builds[].nvr}' } }, source), {
    source: { type: 'build', builds: ['bash-5.2-1.fc44', 'curl-8.11.1-3.fc44', 'openssl-3.5.1-2.fc44'] },
  });
  assert.deepEqual(fillTemplate({ packages: ['vim', '${events.builds[].package}'] }, source), {
    packages: ['vim', 'bash', 'curl', 'openssl'],
  });
});

test('lists of builds become one list', () => {
  const builds = [
    { nvr: 'curl-8-1', package: 'curl', rpms: ['curl', 'libcurl'] },
    { nvr: 'bash-5-1', package: 'bash', rpms: ['bash'] },
    { nvr: 'gone-1-1', package: 'gone' },
  ];
  const source = { group: {}, events: [inputEvent(updateEvent({ builds }))] };
  assert.deepEqual(fillTemplate({ packages: '${events.builds[].rpms}' }, source), {
    packages: ['bash', 'curl', 'libcurl'],
  });
});

test('without an event scope the group answers, then the newest event', () => {
  const source = { group: { tag: 'f44' }, events: [tag('a-1-1'), tag('b-1-1', 'f45')] };
  assert.equal(fillName('${tag}', source), 'f44');
  assert.equal(fillName('${event.tag}', source), 'f45');
  assert.equal(fillName('x-${nvr}', source), 'x-b-1-1');
});

test('hostile values are refused', () => {
  const hostile = [
    '../../x',
    '/etc/passwd',
    'a b',
    'a\u0000b',
    'x\n',
    '-rf',
    '$(id)',
    'ü',
    '',
    'y'.repeat(10_000_000),
  ];
  for (const nvr of hostile) {
    assert.throws(
      () => fillTemplate({ label: '${event.nvr}' }, { group: {}, events: [tag(nvr)] }),
      (error: ReactorError) => error.code === 'template.hostile' && error.message.length < 300,
      JSON.stringify(nvr.slice(0, 20)),
    );
    assert.throws(() => fillName('${tag}', { group: { tag: nvr }, events: [] }), /not allowed in a request/);
  }
});

test('a location may be a path or URL but never climbs', () => {
  const at = (repo: string) => ({ group: {}, events: [inputEvent({ kind: 'repo.changed', repo })] });
  assert.deepEqual(fillTemplate({ s: '${event.repo}' }, at('/srv/repo')), { s: '/srv/repo' });
  assert.deepEqual(fillTemplate({ s: '${repo}' }, at('https://x.example/r/')), { s: 'https://x.example/r/' });
  for (const repo of ['/srv/../etc', 'srv', '/a b', 'file:///x\n', '/x?y=${z}']) {
    assert.throws(() => fillTemplate({ s: '${event.repo}' }, at(repo)), /not allowed/, repo);
  }
});

test('a value that no event says, a list in a text and free text are refused', () => {
  const source = { group: {}, events: [inputEvent(updateEvent())] };
  const codeOf = (template: string) => {
    try {
      fillTemplate({ label: template }, source);
      return null;
    } catch (error) {
      return (error as ReactorError).code;
    }
  };
  assert.equal(codeOf('${event.severity}'), 'template.empty');
  assert.equal(codeOf('x-${events.alias}'), 'template.not_single');
  assert.equal(codeOf('${event.builds[].owner}'), 'template.empty');
});

test('what is no placeholder is an error, not text', () => {
  for (const text of ['${', '${}', '${a', '${a.b.c}', '${event.x()}', '${__proto__.x}', '${x|y}']) {
    assert.throws(() => parseTemplate(text), /is not a placeholder/, text);
  }
  assert.deepEqual(parseTemplate('costs $5'), ['costs $5']);
});
