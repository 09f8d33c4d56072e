import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import type { SelectPackages } from '../../src/composer/selection.ts';
import { repoSource } from '../../src/composer/sources/repo/repo-definition.ts';
import { transaction } from '../../src/database/transaction.ts';
import { cancelCompose, lockToEnd } from '../../src/lifecycle/cancel-compose.ts';
import type { Compose } from '../../src/model/compose-json.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';

let plans = 0;
let beforePlan: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

/** The source of repositories, which counts what it plans and stops before. */
const counting = {
  ...repoSource,
  open: async (context: Parameters<typeof repoSource.open>[0]): Promise<SelectPackages | null> => {
    const select = await repoSource.open(context);
    if (select === null) return null;
    return async (planning, request) => {
      plans += 1;
      await beforePlan(planning.signal);
      return select(planning, request);
    };
  },
};

const composer = await openTestComposer({}, [counting]);
after(() => composer[Symbol.asyncDispose]());
const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);
const request = repoRequest(repository.directory, ['ed']);

beforeEach(() => {
  plans = 0;
  beforePlan = () => Promise.resolve();
  // What earlier tests made began before what comes now is asked for.
  composer.now = new Date(composer.now.getTime() + 1_000);
});

/** What comes now comes later than what came before. */
function tick(): void {
  composer.now = new Date(composer.now.getTime() + 1);
}

function countPublished(): number {
  return readdirSync(composer.targetDir).filter((name) => /^odcs-\d+$/.test(name)).length;
}

async function insertMany(count: number, asked = request): Promise<Compose[]> {
  const inserted: Compose[] = [];
  for (let at = 0; at < count; at += 1) inserted.push(await composer.insert(asked));
  tick();
  return inserted;
}

async function runAll(composes: readonly Compose[]): Promise<Compose[]> {
  await Promise.all(composes.map(({ id }) => composer.run(id)));
  return Promise.all(composes.map(({ id }) => composer.find(id)));
}

test('a hundred equal requests at once are planned once and built once', async () => {
  const before = countPublished();
  const asked = { ...request, packages: ['curl'] };
  const composes = await runAll(await insertMany(100, asked));
  assert.deepEqual([plans, countPublished() - before], [1, 1]);
  assert.deepEqual(
    composes.filter(({ state }) => state !== 'done'),
    [],
  );
  const made = composes.filter(({ reusedId }) => reusedId === null);
  assert.equal(made.length, 1);
  // What is known of the plan is known of each of them.
  for (const { fingerprint, kojiEvent, arches, pungiComposeId, timeToExpire } of composes) {
    assert.deepEqual(
      [fingerprint, kojiEvent, arches, pungiComposeId, timeToExpire],
      [
        made[0]?.fingerprint,
        made[0]?.kojiEvent,
        made[0]?.arches,
        made[0]?.pungiComposeId,
        made[0]?.timeToExpire,
      ],
    );
  }
});

test('equal requests of which one comes after the other are planned once', async () => {
  const asked = { ...request, packages: ['nginx'] };
  for (const { id } of await insertMany(5, asked)) await composer.run(id);
  assert.equal(plans, 1);
});

test('what is asked for once the plan began, be it at the same moment, reads its inputs anew', async () => {
  const [first] = await insertMany(1);
  assert.ok(first);
  let late: Compose | undefined;
  beforePlan = async () => {
    beforePlan = () => Promise.resolve();
    late = await composer.insert(request);
    tick();
    await composer.run(late.id);
  };
  await composer.run(first.id);
  assert.equal(plans, 2);
  assert.equal((await composer.find(late?.id ?? 0)).state, 'done');
});

test('no_reuse is planned and built for itself', async () => {
  const before = countPublished();
  await runAll(await insertMany(3, { ...request, flags: ['no_reuse'] }));
  assert.deepEqual([plans, countPublished() - before], [3, 3]);
});

test('those who wait for one that is cancelled go on by themselves', async () => {
  const [first, second, third] = await insertMany(3, { ...request, packages: ['bash'] });
  assert.ok(first && second && third);
  beforePlan = async (signal) => {
    beforePlan = () => Promise.resolve();
    await composer.run(second.id);
    await composer.run(third.id);
    assert.deepEqual(
      [(await composer.find(second.id)).reusedId, (await composer.find(third.id)).reusedId],
      [first.id, first.id],
    );
    await transaction(composer.context.database, async (tx) => {
      const held = await lockToEnd(tx, first.id);
      assert.ok(held);
      await cancelCompose(tx, held, 'alice');
    });
    if (!signal.aborted) await once(signal, 'abort');
  };
  await composer.run(first.id);
  const cancelled = await composer.find(first.id);
  assert.equal(cancelled.state, 'failed');
  assert.equal((await composer.find(second.id)).state, 'wait');
  const ended = await runAll([second, third]);
  assert.deepEqual(
    ended.map(({ state }) => state),
    ['done', 'done'],
  );
});

test('those who wait for one that finds itself made already show what it shows', async () => {
  const asked = { ...request, packages: ['openssl'] };
  const made = await composer.compose({ ...asked, flags: ['no_reuse'] });
  composer.now = new Date(composer.now.getTime() + 1_000);
  const [first, second] = await insertMany(2, { ...asked, secondsToLive: 7_200 });
  assert.ok(first && second);
  beforePlan = async () => {
    await composer.run(second.id);
  };
  await composer.run(first.id);
  const ended = [await composer.find(first.id), await composer.find(second.id)];
  assert.deepEqual(
    ended.map(({ state, reusedId }) => [state, reusedId]),
    [
      ['done', made.id],
      ['done', made.id],
    ],
  );
  assert.deepEqual(ended[0]?.timeToExpire, ended[1]?.timeToExpire);
  assert.equal(ended[0]?.fingerprint, ended[1]?.fingerprint);
  assert.ok((await composer.find(made.id)).timeToExpire >= (ended[1]?.timeToExpire ?? 0));
});

test('a compose of a series is planned for itself while another is made, as it says what is new', async () => {
  const asked = { ...request, packages: ['ed', 'curl'] };
  const first = await composer.insert(asked);
  const second = await composer.insert(asked, { series: 'a-series' });
  tick();
  beforePlan = async () => {
    beforePlan = () => Promise.resolve();
    await composer.run(second.id);
  };
  await composer.run(first.id);
  assert.equal(plans, 2);
  assert.equal((await composer.find(second.id)).state, 'done');
});
