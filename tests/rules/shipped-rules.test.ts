import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { DomainEvent } from '../../src/model/event.ts';
import type { Rule } from '../../src/model/rule.ts';
import { askCompose } from '../../src/rules/ask-compose.ts';
import { groupOf } from '../../src/rules/group.ts';
import { matchRule } from '../../src/rules/match.ts';
import { formatProblem } from '../../src/model/file-problem.ts';
import { generatedRuleFiles } from '../../src/rules/rule-documents.ts';
import { findSharedSeries } from '../../src/rules/shared-series.ts';
import { readRules } from '../../src/rules/reload.ts';
import { inputEvent, tagEvent, updateEvent } from './input-event.ts';

const root = resolve(import.meta.dirname, '../..');
const reading = await readRules(join(root, 'rules'));
if (!reading.ok) assert.fail(reading.problems.map(formatProblem).join('\n'));
const rules = new Map(reading.set.rules.map((rule) => [rule.name, rule]));

function ruleNamed(name: string): Rule {
  return rules.get(name) ?? assert.fail(`there is no rule ${name}`);
}

/** What the rule asks for because of one event, or why not. */
function ask(name: string, event: DomainEvent): object | string {
  const rule = ruleNamed(name);
  const input = inputEvent(event);
  const match = matchRule(rule, input);
  if (match?.answer !== 'yes') return match?.decidedBy?.field ?? 'other kind';
  const group = groupOf(rule, { input });
  if ('missing' in group) return group.missing;
  const { series, body } = askCompose(rule, group.values, [input]);
  return { series, body };
}

test('all shipped rules are read, and none composes before somebody says so', () => {
  assert.deepEqual(
    [...rules.keys()],
    [
      'base-images-hourly',
      'base-images-urgent',
      'container-security-updates',
      'errata-rhsa-shipped',
      'main-from-parts',
      'module-ready',
      'nightly-if-changed',
      'product-from-parts',
      'side-tag-ready',
      'tag-following',
    ],
  );
  for (const rule of rules.values()) assert.equal(rule.mode, 'shadow');
});

test('a security update of what the images install becomes a compose of that, with the new builds', () => {
  const builds = [
    { nvr: 'openssl-3.5.1-2.fc44', package: 'openssl', rpms: ['openssl', 'openssl-devel', 'openssl-libs'] },
    { nvr: 'curl-8.11.1-3.fc44', package: 'curl', rpms: ['curl'] },
  ];
  assert.deepEqual(ask('container-security-updates', updateEvent({ builds })), {
    series: 'container-updates-F44',
    body: {
      source: {
        type: 'tag',
        source: 'f44',
        packages: ['openssl-libs', 'libcurl', 'glibc'],
        builds: ['curl-8.11.1-3.fc44', 'openssl-3.5.1-2.fc44'],
      },
    },
  });
  assert.equal(ask('container-security-updates', updateEvent({ builds, type: 'bugfix' })), 'type');
  assert.equal(ask('container-security-updates', updateEvent({ builds: builds.slice(1) })), 'builds');
  assert.equal(ask('container-security-updates', updateEvent()), 'builds', 'without Koji nobody knows');
});

test('base images are composed at most once an hour, for an urgent update at once, as one series', () => {
  const builds = [{ nvr: 'openssl-3.5.1-2.fc44', package: 'openssl', rpms: ['openssl', 'openssl-libs'] }];
  const [hourly, urgent] = ['base-images-hourly', 'base-images-urgent'] as const;
  for (const severity of ['high', 'medium', 'low', 'unspecified']) {
    assert.equal(typeof ask(hourly, updateEvent({ builds, severity })), 'object', severity);
    assert.equal(ask(urgent, updateEvent({ builds, severity })), 'severity');
  }
  assert.equal(ask(hourly, updateEvent({ builds, severity: 'urgent' })), 'severity');
  assert.deepEqual(
    ask(urgent, updateEvent({ builds, severity: 'urgent' })),
    ask(hourly, updateEvent({ builds, severity: 'high' })),
    'whoever builds from the series sees one line of composes',
  );
  const [calm, hurried] = [ruleNamed(hourly), ruleNamed(urgent)];
  assert.deepEqual([calm.minIntervalMs, calm.priority], [3_600_000, 'normal']);
  assert.deepEqual([hurried.minIntervalMs, hurried.priority], [0, 'security']);
  const active = [calm, hurried].map((rule): Rule => ({ ...rule, mode: 'active', series: 'base-images' }));
  assert.deepEqual(findSharedSeries(active), []);
});

test('a shipped RHSA becomes a compose of exactly its builds; an embargoed one does not', () => {
  const advisory = {
    kind: 'errata.status',
    id: 34661,
    type: 'RHSA',
    to: 'SHIPPED_LIVE',
    severity: 'Critical',
    content_types: ['rpm'],
    embargoed: false,
    builds: [{ nvr: 'bash-5.2-1.el9', package: 'bash' }],
  } as const;
  assert.deepEqual(ask('errata-rhsa-shipped', advisory), {
    series: 'advisory-34661',
    body: { source: { type: 'build', builds: ['bash-5.2-1.el9'] } },
  });
  assert.equal(ask('errata-rhsa-shipped', { ...advisory, embargoed: true }), 'embargoed');
});

test('a ready module becomes a compose of it', () => {
  const module = {
    kind: 'mbs.module',
    id: 7,
    name: 'testmodule',
    stream: 'master',
    version: '20180406',
    context: 'c2c572ec',
    nsvc: 'testmodule:master:20180406:c2c572ec',
    state: 'ready',
  } as const;
  assert.deepEqual(ask('module-ready', module), {
    series: 'module-testmodule-master',
    body: { source: { type: 'module', source: 'testmodule:master:20180406:c2c572ec' } },
  });
  assert.equal(ask('module-ready', { ...module, stream: 'private-x' }), 'stream');
});

test('a build that enters a tag, a parent of it included, becomes a compose of the tag', () => {
  const body = { source: { type: 'tag', source: 'f44' }, arches: ['x86_64', 'aarch64'] };
  const event = tagEvent({ tag: 'f44-base', feeds: ['f44-base', 'f44'], user: 'kevin' });
  assert.deepEqual(ask('tag-following', event), { series: 'f44', body });
  assert.equal(ask('tag-following', tagEvent({ feeds: ['f43'], user: 'kevin' })), 'feeds');
});

test('a build in a side tag asks for the side tag', () => {
  const event = tagEvent({ tag: 'f45-build-side-9', side_tag: true });
  assert.deepEqual(ask('side-tag-ready', event), {
    series: 'side-tag-f45-build-side-9',
    body: { source: { type: 'tag', source: 'f45-build-side-9', sigkeys: [''] }, seconds_to_live: 259200 },
  });
});

test('a finished part asks for the product', () => {
  const event = { kind: 'compose.state', system: 'odcs', id: '5', state: 'done', series: 'crb' } as const;
  assert.deepEqual(ask('product-from-parts', event), {
    series: 'product',
    body: { source: { type: 'compose', source: 'baseos appstream crb' } },
  });
});

test('a finished part asks for the main compose of its definition', () => {
  const event = {
    kind: 'compose.state',
    system: 'odcs',
    id: '5',
    state: 'done',
    series: 'appstream',
  } as const;
  const body = { source: { type: 'definition', source: 'main' } };
  assert.deepEqual(ask('main-from-parts', event), { series: 'main', body });
  assert.equal(ask('main-from-parts', { ...event, series: 'main' }), 'series', 'it never starts itself');
});

test('the nightly looks every night, and composes only if something changed', () => {
  const { schedules, unchanged } = ruleNamed('nightly-if-changed');
  assert.deepEqual([schedules, unchanged], [['0 3 * * *'], 'skip']);
});

test('the field page and the JSON Schema are those of the source', () => {
  for (const [path, content] of Object.entries(generatedRuleFiles())) {
    assert.equal(
      readFileSync(join(root, path), 'utf8'),
      content,
      `${path}: run node src/commands/generate.ts`,
    );
  }
});
