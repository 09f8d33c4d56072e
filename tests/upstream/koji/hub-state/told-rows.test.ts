import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import type { XmlRpcKeywords, XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { sharedPath } from '../../../shared.ts';
import { listRecordings, readRecordedAnswer } from '../recordings.ts';
import { StateHub } from '../state-hub.ts';
import { readAnswerWithSaxes } from '../xml-rpc-saxes.ts';
import { shapeOf, shapeProblems } from './value-shape.ts';

const hub = new StateHub({ content: 'empty' });
hub.addTag('f44', { extra: { 'mock.new_chroot': 0 } });
hub.addTag('f44-updates', { parents: ['f44'] });
hub.addSidetag('f44');
hub.addTarget('f44-candidate', { buildTag: 'f44', destTag: 'f44-updates' });
hub.importBuild('kappa-1-1');
hub.tag('f44', 'kappa-1-1');
hub.untag('f44', 'kappa-1-1');
hub.tag('f44', 'kappa-1-1');
hub.blockPackage('f44-updates', 'lambda');
hub.editTag('f44', { arches: 'x86_64 aarch64' });
hub.importSigned('kappa-1-1', 'aabbccdd');
hub.startBuild('lambda-1-1', 'f44-candidate');
hub.failBuild('lambda-1-1');
hub.startBuild('lambda-1-2', 'f44-candidate');
hub.finishBuild('lambda-1-2');

const LARGEST_ANSWER = 500_000;

/** Every recorded answer to a method without those that are faults. */
function recordedAnswers(method: string): readonly XmlRpcValue[] {
  return listRecordings()
    .filter((recording) => recording.method === method && recording.status === 200)
    .filter(({ responseBytes }) => responseBytes < LARGEST_ANSWER)
    .map((recording) => readAnswerWithSaxes(readRecordedAnswer(recording).toString('utf8')))
    .filter((answer) => !(typeof answer === 'object' && answer !== null && 'faultCode' in answer));
}

const calls: readonly (readonly [string, readonly XmlRpcValue[], XmlRpcKeywords?])[] = [
  ['getLastEvent', []],
  ['getEvent', [1]],
  ['getTag', ['f44'], { event: 3 }],
  ['listTags', []],
  ['getInheritanceData', ['f44-updates']],
  ['getFullInheritance', ['f44-updates']],
  ['getFullInheritance', ['f44'], { reverse: true }],
  ['listPackages', ['f44-updates'], { inherited: true }],
  ['listTagged', ['f44'], { latest: true }],
  ['listTagged', ['f44'], { extra: true }],
  ['getLatestBuilds', ['f44']],
  ['listTaggedRPMS', ['f44'], { rpmsigs: true }],
  ['listTaggedRPMS', ['f44'], { extra: false }],
  ['getLatestRPMS', ['f44'], { package: 'kappa' }],
  ['getBuild', ['kappa-1-1']],
  ['getBuildType', ['kappa-1-1']],
  ['listBuilds', [], { state: 1 }],
  ['listBuildRPMs', ['kappa-1-1']],
  ['listRPMs', [], { buildID: 'kappa-1-1' }],
  ['getRPM', [1]],
  ['queryRPMSigs', [1]],
  ['getTaskInfo', [1], { request: true }],
  ['listTasks', [], { opts: { method: 'build', decode: true } }],
  ['queryHistory', [], { tables: ['tag_listing'], tag: 'f44', afterEvent: 1, beforeEvent: 99 }],
  ['queryHistory', [], { tables: ['tag_packages', 'tag_inheritance', 'tag_extra'] }],
  ['queryHistory', [], { tables: ['tag_config'], tag: 'f44' }],
  ['tagLastChangeEvent', ['f44']],
  ['tagFirstChangeEvent', ['f44']],
  ['tagChangedSinceEvent', [1, [1]]],
  ['getBuildTarget', ['f44-candidate']],
  ['getBuildTargets', []],
  ['listSideTags', []],
  ['search', ['kappa*', 'build', 'glob']],
  ['getPackage', ['kappa']],
  ['getUser', ['kojiadmin']],
  ['listVolumes', []],
];

for (const [method, args, keywords = {}] of calls) {
  test(`the answer to ${method}(${JSON.stringify([...args, keywords])}) has the recorded shape`, () => {
    const answer = hub.answer({ method, args, keywords });
    assert.ok('value' in answer);
    const recorded = recordedAnswers(method);
    assert.ok(recorded.length > 0, 'nothing was recorded');
    assert.deepEqual(shapeProblems(shapeOf([answer.value]), shapeOf(recorded)), []);
  });
}

const messageSchema = z.object({
  routing_key: z.string(),
  properties: z.object({ headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) }),
  body: z.record(z.string(), z.json()),
});

test('messages have the topics, headers and bodies of the captured ones', () => {
  const folder = sharedPath('koji', 'messages');
  const captured = readdirSync(folder)
    .filter((file) => file.includes('-fedmsg-'))
    .map((file) => messageSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))));
  const kinds = new Set(hub.messages.delivered.map(({ topic }) => topic));
  assert.deepEqual([...kinds].map((topic) => topic.replace('org.fedoraproject.prod.buildsys.', '')).sort(), [
    'build.state.change',
    'package.list.change',
    'rpm.sign',
    'tag',
    'untag',
  ]);
  for (const { topic, headers, body } of hub.messages.delivered) {
    const alike = captured.filter(({ routing_key: key }) => key === topic);
    const asRecorded: unknown = JSON.parse(JSON.stringify(body));
    const problems = shapeProblems(
      shapeOf([z.record(z.string(), z.json()).parse(asRecorded)]),
      shapeOf(alike.map((message) => message.body)),
    );
    assert.deepEqual(problems, [], topic);
    // Names of users and packages are parts of header names.
    const nameOf = (name: string): string => name.replace(/^(fedora_messaging_(?:user|rpm)_).*$/, '$1');
    const known = new Set(
      alike.map(({ properties }) => [...new Set(Object.keys(properties.headers).map(nameOf))].sort().join()),
    );
    assert.ok(known.has([...new Set(Object.keys(headers).map(nameOf))].sort().join()), topic);
    const schemas = alike.map(({ properties }) => properties.headers['fedora_messaging_schema']);
    assert.ok(schemas.includes(headers['fedora_messaging_schema']), topic);
  }
});
