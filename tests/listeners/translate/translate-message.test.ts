import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readRecordedMessage } from '../../../src/listeners/recorded-message.ts';
import { translateMessage } from '../../../src/listeners/translate/translate-message.ts';
import type { ReceivedMessage } from '../../../src/buses/received-message.ts';
import type { Translation } from '../../../src/listeners/translate/translation.ts';
import { fieldsOfKind } from '../../../src/model/event-catalogue.ts';
import { sharedPath } from '../../shared.ts';

function readFolder(...parts: string[]): { file: string; message: ReceivedMessage }[] {
  const folder = sharedPath(...parts);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json') && file !== 'INDEX.json')
    .map((file) => ({ file, message: readRecordedMessage(readFileSync(join(folder, file), 'utf8'), file) }));
}

const samples = [
  ...readFolder('messages', 'samples', 'fedora-messaging'),
  ...readFolder('messages', 'samples', 'umb-stomp'),
];
const captured = readFolder('koji', 'messages');

/** The contract's mapping of topics to kinds, written as patterns over the topic as it came. */
const mapping: readonly (readonly [RegExp, string])[] = [
  [/\.buildsys\.tag$|\b(brew|koji)\.build\.tag$/, 'koji.tag'],
  [/\.buildsys\.untag$|\b(brew|koji)\.build\.untag$/, 'koji.untag'],
  [
    /\.buildsys\.build\.state\.change$|\b(brew|koji)\.build\.(building|complete|deleted|failed|canceled)$/,
    'koji.build',
  ],
  [/\.buildsys\.task\.state\.change$|\b(brew|koji)\.task\.\w+$/, 'koji.task'],
  [/\.buildsys\.repo\.(init|done)$|\b(brew|koji)\.repo\.(init|done)$/, 'koji.repo'],
  [/\.buildsys\.rpm\.sign$|\b(brew|koji)\.sign\.rpm$/, 'koji.sign'],
  [/\.buildsys\.package\.list\.change$|\b(brew|koji)\.package\.\w+$/, 'koji.package_list'],
  [/\bmbs\.module\.state\.change$/, 'mbs.module'],
  [/\.bodhi\.update\.(request\.\w+|complete\.\w+|edit|eject|status\.testing.*)$/, 'bodhi.update'],
  [/\.bodhi\.buildroot_override\.(tag|untag)$/, 'bodhi.override'],
  [/\.errata\.activity\.status$/, 'errata.status'],
  [/\.errata\.builds\.(added|removed|changed)$/, 'errata.builds'],
  [/\.errata\.activity\.signing$/, 'errata.signing'],
  [
    /\bpungi\.(compose\.status\.change|status-change)$|\.odcs\.(compose\.state-changed|state\.change)$/,
    'compose.state',
  ],
  [/\.bodhi\.compose\.complete$/, 'compose.state'],
  [/\.(greenwave\.decision\.update|resultsdb\.result\.new|waiverdb\.waiver\.new)$/, 'gate'],
];

function expectedKind(rawTopic: string): string {
  return mapping.find(([pattern]) => pattern.test(rawTopic))?.[1] ?? 'other';
}

function kindOf(translation: Translation): string {
  return 'event' in translation ? translation.event.kind : 'poison';
}

test('no recorded message says a word that rules are told never comes', () => {
  const seen = new Set<string>();
  const unknown = [...samples, ...captured].flatMap(({ file, message }) => {
    const translation = translateMessage(message);
    if (!('event' in translation)) return [];
    const { event } = translation;
    return [...fieldsOfKind(event.kind)].flatMap(([field, { words }]) => {
      const value: unknown = Reflect.get(event, field);
      if (words === undefined || typeof value !== 'string') return [];
      seen.add(`${event.kind} ${field}`);
      return words.includes(value) ? [] : [`${file}: ${field} is ${value}`];
    });
  });
  assert.deepEqual(unknown, []);
  assert.ok(seen.size > 15, [...seen].join(', '));
});

test('every recorded message has the kind the contract maps its topic to', () => {
  assert.ok(samples.length >= 372, `${samples.length} samples`);
  assert.ok(captured.length >= 499, `${captured.length} captured messages`);
  const wrong = [...samples, ...captured].flatMap(({ file, message }) => {
    const translation = translateMessage(message);
    const kind = kindOf(translation);
    const reason = 'poison' in translation ? translation.poison : '';
    return kind === expectedKind(message.rawTopic) ? [] : [`${file}: ${kind} ${reason}`];
  });
  assert.deepEqual(wrong, [
    'buildsys.repo.done-legacy-test-koji-repo-done.json: poison The message does not say which tag.',
  ]);
});

test('both messages of one tagging, of either plugin, say the same of it', () => {
  const keys = (bus: string): string[] =>
    captured.flatMap(({ message }) => {
      const translation = translateMessage(message);
      if (message.bus !== bus || !('event' in translation)) return [];
      const { event } = translation;
      return event.kind === 'koji.tag' || event.kind === 'koji.untag'
        ? [
            [
              event.kind,
              event.tag,
              event.tag_id,
              event.nvr,
              event.package,
              event.build_id,
              event.user,
              event.owner,
            ].join(' '),
          ]
        : [];
    });
  const umb = new Set(keys('umb'));
  const fedora = keys('fedora-messaging');
  assert.ok(fedora.length > 50);
  assert.deepEqual(
    fedora.filter((key) => !umb.has(key)),
    [],
  );
});

function find(file: string): Translation {
  const found = [...samples, ...captured].find((sample) => sample.file === file);
  assert.ok(found, file);
  return translateMessage(found.message);
}

/** One message of each family with everything that is read of it. */
const cases: Record<string, object> = {
  'buildsys.tag-koji-build-tagged.json': {
    kind: 'koji.tag',
    tag: 'f40-build-side-12345',
    tag_id: 12345,
    nvr: 'python-specfile-0.31.0-1.fc40',
    package: 'python-specfile',
    build_id: 1234567,
    user: 'nforro',
    owner: 'nforro',
    side_tag: true,
  },
  'brew.build.building-brew-build-building.json': { kind: 'koji.build', state: 'building' },
  'brew.build.complete-estuary-modulebuild-complete.json': { kind: 'koji.build', state: 'complete' },
  'brew.repo.done-brew-repo-done.json': {
    kind: 'koji.repo',
    action: 'done',
    tag: 'jb-eap-6.3-jdk7-rhel-6-build',
    tag_id: 6626,
    repo_id: 1961874,
  },
  'brew.sign.rpm-brew-sign-r-p-m.json': {
    kind: 'koji.sign',
    sigkey: 'fd431d51',
    rpm: 'libvirt-devel-3.2.0-2.el7.x86_64',
    package: 'libvirt',
    build_id: 549993,
  },
  'brew.package.add-brew-package-add.json': {
    kind: 'koji.package_list',
    tag: 'jb-eap-7.1-rhel-7',
    package: 'jboss-logging',
    action: 'add',
  },
  'brew.task.canceled-brew-task-canceled.json': {
    kind: 'koji.task',
    task_id: 12822614,
    method: 'buildArch',
    state: 'CANCELED',
    old_state: 'OPEN',
    parent: 12822603,
  },
  'mbs.module.state.change-ready-testmodule.json': {
    kind: 'mbs.module',
    id: 2321,
    nsvc: 'testmodule:master:20181026165847:a5b0195c',
    state: 'ready',
    owner: 'foobar',
  },
  'bodhi.update.complete.stable-freshmaker-bodhi_update_stable.json': {
    kind: 'bodhi.update',
    phase: 'complete',
    alias: 'FEDORA-2017-fe6e14dcf9',
    transition: 'stable',
    type: 'security',
    severity: 'medium',
    status: 'stable',
  },
  'bodhi.update.status.testing-openqa-create.json': {
    kind: 'bodhi.update',
    phase: 'ready',
    alias: 'FEDORA-2023-1f3e17882f',
    dist_tag: 'f39',
  },
  'bodhi.update.status.testing.koji-build-group.build.complete-ready-for-testing-v1.json': {
    alias: 'FEDORA-2019-d64d0caab3',
    dist_tag: 'f29',
  },
  'bodhi.update.eject-bodhi-update-eject.json': {
    phase: 'eject',
    alias: 'fedmsg-0.2.7-2.el6',
    transition: 'testing',
    release: 'EL6',
    builds: [{ nvr: 'fedmsg-0.2.7-2.el6', package: 'fedmsg' }],
  },
  'bodhi.buildroot_override.tag-bodhi-conglomerate-tag-1.json': {
    kind: 'bodhi.override',
    action: 'tag',
    nvr: 'golang-github-jfrazelle-go-0-0.1.git6e461eb.fc23',
    package: 'golang-github-jfrazelle-go',
    user: 'fpokorny',
  },
  'errata.activity.status-estuary-activity-status.json': {
    kind: 'errata.status',
    id: 34661,
    type: 'RHEA',
    from: 'NEW_FILES',
    to: 'QE',
    embargoed: false,
  },
  'errata.activity.status-sbomer-rhsa-rel_prep.json': {
    id: 139787,
    severity: 'Important',
    content_types: ['rpm'],
    to: 'REL_PREP',
  },
  'errata.activity.status-errata-status-change.json': {
    id: 27087,
    from: 'QE',
    to: 'NEW_FILES',
    type: 'RHBA',
  },
  'errata.builds.added-errata-builds-added.json': {
    kind: 'errata.builds',
    action: 'add',
    builds: [{ nvr: 'libpciaccess-0.13.4-3.1.el7_4', package: 'libpciaccess' }],
  },
  'errata.activity.signing-errata-signatures-reported.json': {
    kind: 'errata.signing',
    id: 26924,
    builds: [{ nvr: 'gssproxy-0.7.0-4.el7', package: 'gssproxy' }],
  },
  'odcs.state.change-o-d-c-s-state-change.json': {
    kind: 'compose.state',
    system: 'odcs',
    id: '185',
    state: 'done',
    source: 'osbs-test-odcs',
    source_type: 'tag',
  },
  'pungi.status-change-pungi-complete.json': {
    system: 'pungi',
    id: 'OracleJava-7.4-RHEL-7-20170602.n.0',
    state: 'FINISHED',
  },
  'greenwave.decision.update-greenwave-decision-change-old.json': {
    kind: 'gate',
    system: 'greenwave',
    subject_type: 'koji_build',
    subject: 'libmtp-1.1.14-1.fc27',
    context: 'bodhi_update_push_stable',
    satisfied: true,
  },
  'resultsdb.result.new-legacy-results-d-b-new-good-result.json': {
    system: 'resultsdb',
    subject: 'qpid-dispatch-1.0.0-5.el6',
    outcome: 'FAILED',
  },
  'waiverdb.waiver.new-waiver-d-b-unwaive.json': {
    system: 'waiverdb',
    subject: 'rh-amazon-rhui-client-3.0.9-1.el8',
    satisfied: false,
  },
};

for (const [file, expected] of Object.entries(cases)) {
  test(`${file} is read as it stands`, () => {
    const translation = find(file);
    assert.ok('event' in translation, JSON.stringify(translation));
    assert.partialDeepStrictEqual(translation.event, expected);
  });
}

test('an embargoed advisory says nothing but its number and type', () => {
  const translation = find('errata.activity.status-estuary-activity-status-embargoed.json');
  assert.ok('event' in translation);
  assert.deepEqual(translation.event, { kind: 'errata.status', id: 2345, type: 'RHSA', embargoed: true });
});

test('staging systems are instances of their own', () => {
  assert.equal(find('odcs.compose.state-changed-compose-state-changed.json').instance, 'fedora-stg');
  assert.equal(find('brew.build.tag-brew-build-tag.json').instance, 'brew');
});

function message(part: Partial<ReceivedMessage>): ReceivedMessage {
  return {
    bus: 'fedora-messaging',
    rawTopic: 'org.fedoraproject.prod.buildsys.tag',
    headers: {},
    body: Buffer.from('{}'),
    contentEncoding: 'utf-8',
    messageId: 'm',
    sentAt: null,
    producer: null,
    ...part,
  };
}

const tagBody = { tag: 'f44', name: 'bash', version: '5', release: '1' };

const badBodies: Record<string, [Partial<ReceivedMessage>, RegExp]> = {
  'no JSON': [{ body: Buffer.from('{"tag"') }, /not JSON/],
  'no UTF-8': [{ body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) }, /not UTF-8/],
  'a list': [{ body: Buffer.from('[]') }, /a list/],
  null: [{ body: Buffer.from('null') }, /null/],
  'a body above the limit': [{ body: Buffer.alloc(1_048_577, 0x20) }, /1048577 bytes/],
  'nesting 10,000 deep': [{ body: Buffer.from(`{"a":${'['.repeat(10_000)}`) }, /deeper than 32/],
  'a gzip bomb': [
    { body: gzipSync(Buffer.alloc(5_000_000, 0x20)), contentEncoding: 'gzip' },
    /once decompressed/,
  ],
  'false gzip': [{ body: Buffer.from('{}'), contentEncoding: 'gzip' }, /says it is gzip/],
  'null where the tag belongs': [
    { body: Buffer.from(JSON.stringify({ ...tagBody, tag: null })) },
    /which tag/,
  ],
  'a number where the name belongs': [
    { body: Buffer.from(JSON.stringify({ ...tagBody, name: 7 })) },
    /which build/,
  ],
  'a tag with a NUL': [{ body: Buffer.from(JSON.stringify({ ...tagBody, tag: 'f\u0000' })) }, /which tag/],
  'an inherited member': [{ body: Buffer.from('{"__proto__":{"tag":"f44"}}') }, /which tag/],
  'an empty body': [{ body: Buffer.alloc(0) }, /which tag/],
};

for (const [name, [part, reason]] of Object.entries(badBodies)) {
  test(`${name} is told with its reason`, () => {
    const translation = translateMessage(message(part));
    assert.ok('poison' in translation, JSON.stringify(translation));
    assert.match(translation.poison, reason);
  });
}

test('gzip, other charsets, unknown encodings and the wrapping of bodies are read', () => {
  const text = JSON.stringify({ ...tagBody, owner: 'Žofie' });
  const forms: Partial<ReceivedMessage>[] = [
    { body: gzipSync(text), contentEncoding: 'gzip' },
    { body: Buffer.from(text, 'utf16le'), contentEncoding: 'utf-16le' },
    { body: Buffer.from(text), contentEncoding: 'no-such-thing' },
    { body: Buffer.from(JSON.stringify({ msg: JSON.parse(text), topic: 'x' })), contentEncoding: null },
  ];
  for (const form of forms) {
    const translation = translateMessage(message(form));
    assert.ok('event' in translation && translation.event.kind === 'koji.tag', JSON.stringify(translation));
    assert.equal(translation.event.owner, 'Žofie');
  }
});

test('no body whatever makes a translator throw, and every event can be stored as JSON', () => {
  const topics = [
    ...new Set([...samples, ...captured].map((sample) => sample.message.rawTopic)),
    'repo.changed',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...topics),
      fc.json({ maxDepth: 4 }),
      fc.boolean(),
      (rawTopic, body, isUmb) => {
        const translation = translateMessage(
          message({ rawTopic, body: Buffer.from(body), bus: isUmb ? 'umb' : 'fedora-messaging' }),
        );
        assert.ok(!JSON.stringify(translation).includes('\\u0000'));
      },
    ),
    { numRuns: 2000 },
  );
});

test('no recorded body with one member replaced makes a translator throw', () => {
  const real = samples.map((sample) => sample.message).filter((sample) => sample.body.length > 0);
  fc.assert(
    fc.property(fc.constantFrom(...real), fc.nat(), fc.json({ maxDepth: 2 }), (sample, at, value) => {
      const text = sample.body.toString();
      const members = [...text.matchAll(/"[\w-]+":/g)];
      const member = members[at % Math.max(members.length, 1)];
      if (member === undefined) return;
      const end = member.index + member[0].length;
      const body = JSON.parse(text, (key, old: unknown) =>
        `"${key}":` === member[0] ? JSON.parse(value) : old,
      );
      assert.ok(end > 0);
      translateMessage({ ...sample, body: Buffer.from(JSON.stringify(body)) });
    }),
    { numRuns: 2000 },
  );
});
