import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCompose } from '../../src/database/composes.ts';
import { insertDecisions } from '../../src/database/decisions.ts';
import type { ChangeSubject } from '../../src/database/look-at-changes.ts';
import { pauseRule, resumeRule } from '../../src/database/rule-pauses.ts';
import { noteRunningSet } from '../../src/database/rule-sets.ts';
import { transaction } from '../../src/database/transaction.ts';
import { announceCompose } from '../../src/lifecycle/announce-compose.ts';
import { openInbox } from '../listeners/listening.ts';
import { storeEvent } from '../rules/engine.ts';
import { tagEvent } from '../rules/input-event.ts';
import { changeCompose } from './compose-rows.ts';
import { hearChanges } from './hear-changes.ts';
import { api, id, member, stranger, window } from './private-compose.ts';

const { kysely } = api.database;
const embargo = { tags: ['f44-embargo'], users: [], groups: ['embargo'] };
const context = {
  ...api.context,
  config: { ...api.context.config, auth_backend: 'kerberos' as const, embargo },
};
const inbox = openInbox(api.database, { embargoTags: embargo.tags });

/** Stores an event of a build that is under embargo; returns its number. */
async function receiveEmbargoed(): Promise<number> {
  const body = { build_id: 7, name: 'secret-fix', version: '1', release: '1', tag: 'f44-embargo', tag_id: 8 };
  const { id: event } = await inbox.receive({
    bus: 'fedora-messaging',
    messageId: `embargoed-${performance.now()}`,
    rawTopic: 'org.fedoraproject.prod.buildsys.tag',
    headers: {},
    body: Buffer.from(JSON.stringify({ ...body, user: 'a', owner: 'a' })),
    sentAt: null,
    contentEncoding: null,
    producer: null,
  });
  return event ?? assert.fail('it was not stored');
}
const embargoed = await receiveEmbargoed();

async function decide(
  rule: string,
  about: { composeId?: number; eventId?: number; windowId?: number },
): Promise<void> {
  const decision = { at: api.now, rule, ruleSet: 'v1', outcome: 'composed', why: 'It changed.', trail: [] };
  const of = { eventId: null, windowId: null, requestId: null, composeId: null, ...about };
  await transaction(api.database, ({ sql }) => insertDecisions(sql, [{ ...decision, ...of }]));
}

const changes: Readonly<Record<string, readonly [ChangeSubject, () => Promise<unknown>]>> = {
  'the state of a private compose': [
    'composes',
    () =>
      transaction(api.database, async (tx) => {
        const compose = (await findCompose(tx.sql, id)) ?? assert.fail('there is no compose');
        await announceCompose(tx, { ...compose, state: 'removed' });
      }),
  ],
  'how far a private compose is': [
    'progress',
    () => {
      const progress = JSON.stringify({ stage: 'gather', done: 1, total: 2, unit: 'packages' });
      return changeCompose(api, id, { state: 'generating', progress });
    },
  ],
  'an event of a private compose': [
    'events',
    () =>
      storeEvent(
        api.database,
        { kind: 'compose.state', system: 'odcs', id: String(id), state: 'done' },
        api.now,
      ),
  ],
  'a tick of a private rule': [
    'events',
    () =>
      storeEvent(
        api.database,
        { kind: 'schedule.tick', rule: 'classified-rule', at: api.now.toISOString() },
        api.now,
      ),
  ],
  'an event under embargo': ['events', receiveEmbargoed],
  'a decision of a private rule': ['decisions', () => decide('classified-rule', {})],
  'a decision that brought a private compose': ['decisions', () => decide('open-rule', { composeId: id })],
  'a decision on an event under embargo': ['decisions', () => decide('open-rule', { eventId: embargoed })],
  'a decision on a window with an event under embargo': [
    'decisions',
    async () => {
      await kysely.insertInto('window_causes').values({ window_id: window, event_id: embargoed }).execute();
      await decide('open-rule', { windowId: window });
    },
  ],
  'a pause of a private rule': [
    'rules',
    () => pauseRule(kysely, { rule: 'classified-rule', by: 'agent', reason: 'a test', now: api.now }),
  ],
  'the end of a pause of a private rule': ['rules', () => resumeRule(kysely, 'classified-rule')],
};

let marks = 0;
/** Changes something that everybody may read; returns its subject, which is another than the one that is looked at. */
async function changeOpenly(subject: ChangeSubject): Promise<ChangeSubject> {
  marks += 1;
  if (subject === 'rules') {
    await storeEvent(api.database, tagEvent({ tag: `open-${marks}` }), api.now);
    return 'events';
  }
  api.now = new Date(api.now.getTime() + 1_000);
  await noteRunningSet(kysely, { version: `open-${marks}`, documents: [], problems: [] }, api.now);
  return 'rules';
}

for (const [what, [subject, change]] of Object.entries(changes)) {
  test(`open pages hear of ${what} where its readers look, and nowhere else`, async () => {
    const query = `of=composes,progress,events,decisions,rules&since=0`;
    await using ofMember = await hearChanges(context, query, member);
    await using ofStranger = await hearChanges(context, query, stranger);
    await using ofNobody = await hearChanges(context, query);
    for (const { until } of [ofMember, ofStranger, ofNobody]) await until('rules');
    await change();
    assert.ok((await ofMember.until(subject)).has(subject));
    const mark = await changeOpenly(subject);
    for (const { until } of [ofStranger, ofNobody]) assert.deepEqual([...(await until(mark))], [mark]);
  });
}
