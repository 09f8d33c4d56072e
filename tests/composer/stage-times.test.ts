import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { findStageTimes } from '../../src/database/composes.ts';
import { transaction } from '../../src/database/transaction.ts';
import { beginCompose } from '../../src/lifecycle/move-compose.ts';
import { ReactorError } from '../../src/model/errors.ts';
import type { StageTime } from '../../src/model/stage-times.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';
import { startSlowServer } from './serve-process.ts';

const composer = await openTestComposer();
after(() => composer[Symbol.asyncDispose]());
const source = join(composer.folder, 'repository');
await createDemoRepository(source).add('base', composer.now);
const { kysely } = composer.context.database;

async function stagesOf(id: number): Promise<readonly StageTime[]> {
  return (await findStageTimes(kysely, id))?.stages ?? [];
}

test('a compose that is done tells what its time went into, from the plan to its publishing', async () => {
  const { id } = await composer.compose(repoRequest(source, ['curl']));
  const stages = await stagesOf(id);
  const names = stages.map(({ stage }) => stage);
  for (const name of ['plan', 'plan.read', 'plan.gather', 'place', 'repodata', 'metadata', 'publish']) {
    assert.ok(names.includes(name), `${name} is not in ${names.join(' ')}`);
  }
  assert.equal(names[0], 'plan');
  assert.ok(stages.every(({ from, to, isFailed }) => to !== null && to >= from && !isFailed));
});

test('what a compose shows of another took its plan only', async () => {
  await composer.compose(repoRequest(source, ['ed']));
  const { id, reusedId } = await composer.compose(repoRequest(source, ['ed']));
  assert.notEqual(reusedId, null);
  const names = (await stagesOf(id)).map(({ stage }) => stage);
  assert.ok(names.includes('plan') && !names.includes('place'), names.join(' '));
});

test('a compose that failed tells in which stage', async () => {
  const { id, state } = await composer.compose(repoRequest(source, ['nobody']));
  assert.equal(state, 'failed');
  const failed = (await stagesOf(id)).filter(({ isFailed }) => isFailed).map(({ stage }) => stage);
  assert.deepEqual(failed, ['plan']);
});

test('while a compose is being made its stages are told, and the next attempt begins with none', async () => {
  await using slow = await startSlowServer(source);
  const { id } = await composer.insert(repoRequest(slow.url, ['bash'], { flags: ['no_reuse'] }));
  const end = new AbortController();
  const running = composer.run(id, { isLast: false, signal: end.signal });
  await slow.held;
  let open: readonly StageTime[] = [];
  while (open.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    open = (await stagesOf(id)).filter(({ to }) => to === null);
  }
  end.abort(new ReactorError('compose.lease_lost', 'Another has it.', { fate: 'retry' }));
  await assert.rejects(running);
  assert.equal(open[0]?.stage, 'place');
  const taken = await transaction(composer.context.database, (tx) => beginCompose(tx, id));
  assert.ok(taken !== undefined);
  assert.equal(await findStageTimes(kysely, id), null);
});
