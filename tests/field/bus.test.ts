import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRecordedMessage } from '../../src/listeners/recorded-message.ts';
import { translateMessage } from '../../src/listeners/translate/translate-message.ts';
import { sharedPath } from '../shared.ts';

const folder = sharedPath('field-cases', '16-bus');
const tagged = { kind: 'koji.tag', tag: 'f31-override', nvr: 'alsa-lib-1.2.1-1.fc31' };

/** What each message of the folder says; a text is why it cannot be used. */
const expected: Readonly<Record<string, Readonly<Record<string, unknown>> | string>> = {
  '01-tag-msg-wrapped': tagged,
  '02-tag-stg': tagged,
  '03-tag-schema-v1': tagged,
  '04-repo-done-no-tag': 'The message does not say which tag.',
  '05-ready-v3': { kind: 'bodhi.update', phase: 'ready', alias: 'FEDORA-2024-abcdef0123' },
  '06-edit-v2': { kind: 'bodhi.update', phase: 'edit', alias: 'FEDORA-2024-abcdef0123' },
  '07-ready-module': { kind: 'bodhi.update', phase: 'ready', alias: 'FEDORA-MODULAR-2024-aa' },
  '08-copr': { kind: 'other' },
  '09-tag-nullrelease': 'The message does not say which build.',
  '10-sign': { kind: 'koji.sign', nvr: 'alsa-lib-1.2.1-1.fc39', sigkey: '18b8e74c' },
  '11-tag-draft': { ...tagged, nvr: 'alsa-lib-1.2.1-1.fc31,draft_42' },
  '12-build-state-draft': { kind: 'koji.build', nvr: 'a-1-1', state: 'complete' },
  '13-tag-largenum': tagged,
  '14-untag': { ...tagged, kind: 'koji.untag' },
  '15-build-promote': { kind: 'other' },
  '16-ready-empty-builds': { kind: 'bodhi.update', phase: 'request', alias: 'FEDORA-2024-1' },
};

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const name = file.replace('.json', '');

  test(`the message ${name} of the field is understood`, () => {
    const message = readRecordedMessage(readFileSync(join(folder, file), 'utf8'), file);
    const translation = translateMessage(message);
    const wanted = expected[name];
    assert.ok(wanted !== undefined, `${name} has no expectation`);
    if (typeof wanted === 'string') assert.equal('poison' in translation && translation.poison, wanted);
    else assert.partialDeepStrictEqual('event' in translation ? translation.event : translation, wanted);
  });
}

test('the old wrapping is taken off whatever else it carries', () => {
  const msg = { tag: 'f31', name: 'a', version: '1', release: '1', build_id: 1, instance: 'primary' };
  const topic = 'org.fedoraproject.prod.buildsys.tag';
  const envelope = {
    msg_id: '2019-x',
    timestamp: 1.5,
    i: 1,
    username: 'koji',
    crypto: 'x509',
    signature: 's',
  };
  const keys = Object.entries(envelope);
  for (const [at] of keys.entries()) {
    const body = { ...Object.fromEntries(keys.slice(0, at)), topic, msg };
    const message = readRecordedMessage(JSON.stringify({ bus: 'fedora-messaging', topic, body }), 'a');
    const translation = translateMessage(message);
    assert.partialDeepStrictEqual('event' in translation ? translation.event : translation, {
      kind: 'koji.tag',
      nvr: 'a-1-1',
    });
  }
});
