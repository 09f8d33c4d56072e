import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startReactor } from '../../src/app/reactor.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';
import { sharedPath } from '../shared.ts';

const part = `version: 1
name: part
owner: rel-eng
description: Compose ed when its repository changed.
on:
  - event: repo.changed
    match: { packages: ed }
settle: 20ms
compose:
  source: { type: repo, source: "\${event.repo}", packages: [ed] }
  flags: [no_deps]
  arches: [x86_64]
`;
const product = `version: 1
name: product
owner: rel-eng
description: The product of its only part.
on:
  - event: compose.state
    match: { state: done, series: part }
settle: 20ms
require:
  - composes.finished: { series: [part] }
compose:
  source: { type: compose, source: part }
  arches: [x86_64]
`;

interface DecisionItem {
  readonly rule: string;
  readonly outcome: string;
  readonly why: string;
  readonly compose_id: number | null;
}

test('an event makes a part, the part makes the product, and the same again makes nothing', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'odcs-chain-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const rules = join(directory, 'rules');
  mkdirSync(rules);
  writeFileSync(join(rules, 'part.yaml'), part);
  writeFileSync(join(rules, 'product.yaml'), product);
  const overrides = {
    data_dir: await makeDataDirectory(join(directory, 'data')),
    target_dir: join(directory, 'composes'),
    port: 0,
    rules_dir: rules,
  };
  const { config } = loadConfig({ file: undefined, environment: {}, overrides });
  await using reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });

  const ask = async (path: string, body?: object) => {
    const response = await fetch(
      `${reactor.url}${path}`,
      body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
    );
    return JSON.parse(await response.text());
  };
  const send = async (id: string, packages: readonly string[]) =>
    ask('/api/1/events', { topic: 'repo.changed', id, body: { repo: sharedPath('odcs', 'repo'), packages } });
  /** Waits until the newest window of the rule has ended. */
  const outcomeOf = async (rule: string, count: number): Promise<DecisionItem> => {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      const { items }: { items: (DecisionItem & { event_id: number | null })[] } = await ask(
        `/api/1/decisions?rule=${rule}&limit=1000`,
      );
      const windows = items.filter((item) => item.event_id === null);
      const [newest] = windows;
      if (windows.length === count && newest !== undefined && newest.outcome !== 'requested') return newest;
      await wait(50);
    }
    return assert.fail(
      `${rule} did not decide ${count} windows: ${JSON.stringify(await ask('/api/1/decisions'))}`,
    );
  };

  await send('one', ['ed']);
  const made = await outcomeOf('part', 1);
  assert.equal(made.outcome, 'composed', made.why);
  const whole = await outcomeOf('product', 1);
  assert.equal(whole.outcome, 'composed', whole.why);

  assert.equal((await send('one', ['ed'])).is_new, false, 'the same message is known');
  const unrelated = await send('two', ['vim']);
  await send('three', ['ed']);
  const again = await outcomeOf('part', 2);
  assert.equal(again.outcome, 'unchanged', again.why);
  assert.equal(again.compose_id, made.compose_id);
  assert.deepEqual((await ask(`/api/1/decisions?event=${unrelated.id}`)).items, []);
  const refusal = await ask(`/api/1/rules/part/explain?event=${unrelated.id}`);
  assert.equal(refusal.sentence, 'part does not fire: "packages" is vim, wanted ed.');

  const why = await ask(`/api/1/composes/${whole.compose_id}/why`);
  assert.deepEqual(why.chain, ['part']);
  assert.equal(why.causes[0].content.id, String(made.compose_id));
});
