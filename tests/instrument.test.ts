import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  currentTrace,
  instrument,
  instrumentNow,
  noteStage,
  observeStages,
  outsideTrace,
  withTrace,
  type EndedStage,
} from '../src/instrument.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = `00-${traceId}-00f067aa0ba902b7-01`;
const other = '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01';

function listen(context: TestContext, traceRatio: number | null = 1): EndedStage[] {
  const ended: EndedStage[] = [];
  const observing = observeStages({ traceRatio, stageEnded: (stage) => ended.push(stage) });
  context.after(() => observing[Symbol.dispose]());
  return ended;
}

test('a stage says how long it took, of what and how it ended', async (context) => {
  const ended = listen(context);
  assert.equal(await instrument('match', { events: 3 }, async () => 'matched'), 'matched');
  await assert.rejects(
    instrument('plan', {}, () => Promise.reject(new Error('no such tag'))),
    /no such tag/,
  );
  assert.throws(
    () =>
      instrumentNow('translate', {}, () => {
        throw new Error('no JSON');
      }),
    /no JSON/,
  );
  assert.deepEqual(
    ended.map(({ stage, fields, isFailed }) => ({ stage, fields, isFailed })),
    [
      { stage: 'match', fields: { events: 3 }, isFailed: false },
      { stage: 'plan', fields: {}, isFailed: true },
      { stage: 'translate', fields: {}, isFailed: true },
    ],
  );
  assert.ok(ended.every(({ seconds, startedAt }) => seconds >= 0 && startedAt > 1e12));
});

test('stages within a stage are its children, and what is stored meanwhile belongs to it', async (context) => {
  const ended = listen(context);
  const stored = await withTrace([parent], () =>
    instrument('plan', {}, async () => {
      await instrument('plan.gather', {}, async () => undefined);
      return currentTrace();
    }),
  );
  const [gather, plan] = ended.map(({ spans }) => spans[0] ?? assert.fail('no span'));
  assert.equal(plan?.traceId, traceId);
  assert.equal(plan?.parentId, '00f067aa0ba902b7');
  assert.equal(gather?.traceId, traceId);
  assert.equal(gather?.parentId, plan?.spanId);
  assert.equal(stored, `00-${traceId}-${plan?.spanId}-01`);
});

test('a batch has a span in the trace of each that is in it', async (context) => {
  const ended = listen(context);
  await withTrace([parent, null, other], () => instrument('match', {}, async () => undefined));
  assert.deepEqual(
    ended[0]?.spans.map((span) => span.traceId),
    [traceId, 'a'.repeat(32)],
  );
});

test('what else led to a stage is linked with it, not with the stages within', async (context) => {
  const ended = listen(context);
  await withTrace(
    [parent],
    async () => {
      noteStage('settle', {}, { from: new Date(1000), to: new Date(31_000) });
      await instrument('decide', {}, () => instrument('require', {}, async () => undefined));
    },
    [other],
  );
  const links = Object.fromEntries(ended.map(({ stage, spans }) => [stage, spans[0]?.links.length]));
  assert.deepEqual(links, { settle: 1, require: 0, decide: 1 });
  assert.equal(ended[0]?.seconds, 30);
  assert.equal(ended[0]?.startedAt, 1000);
});

test('a trace that its beginner does not keep is carried on and never told', async (context) => {
  const ended = listen(context);
  const carried = await withTrace([parent.replace(/01$/, '00')], () =>
    instrument('plan', {}, async () => currentTrace()),
  );
  assert.match(carried ?? '', new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  assert.deepEqual(ended[0]?.spans, []);
});

test('a ratio of none keeps no trace that begins here', async (context) => {
  const ended = listen(context, 0);
  await instrument('plan', {}, async () => undefined);
  assert.deepEqual(ended[0]?.spans, []);
});

test('where nobody wants spans there are none, and what came in goes on as it is', async (context) => {
  const ended = listen(context, null);
  const carried = await withTrace([parent], () => instrument('plan', {}, async () => currentTrace()));
  assert.equal(carried, parent);
  assert.deepEqual(ended[0]?.spans, []);
  assert.equal(await instrument('plan', {}, async () => currentTrace()), null);
});

test('what serves all who come is of no trace', async (context) => {
  listen(context);
  const seen = await withTrace([parent], () =>
    instrument('receive', {}, async () => outsideTrace(() => currentTrace())),
  );
  assert.equal(seen, null);
});

test('an observer that has gone is told nothing', async () => {
  const ended: EndedStage[] = [];
  const observing = observeStages({ traceRatio: 1, stageEnded: (stage) => ended.push(stage) });
  observing[Symbol.dispose]();
  assert.equal(await instrument('plan', {}, async () => currentTrace()), null);
  assert.deepEqual(ended, []);
});
