import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { planCompose } from '../../../src/composer/plan.ts';
import { runCompose } from '../../../src/composer/run-compose.ts';
import { sourceDefinitions } from '../../../src/source-types.ts';
import type { ComposerContext } from '../../../src/composer/composer-context.ts';
import type { Compose } from '../../../src/model/compose-json.ts';
import { parseComposeRequest, requestDefaults } from '../../../src/model/compose-request.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { openTestComposer } from '../open-test-composer.ts';
import { oversizedInputs } from './oversized-inputs.ts';
import { openTrialSource, trials } from './source-trials.ts';

const composer = await openTestComposer({ delivery: 'copy' });
const { context } = composer;
after(() => composer[Symbol.asyncDispose]());

/** Makes a compose with a source that is opened for it. */
async function compose(with_: ComposerContext, request: ComposeRequest): Promise<Compose> {
  const { id } = await composer.insert(request);
  const { signal } = new AbortController();
  await runCompose(with_, id, { signal, number: 1, isLast: true });
  return composer.find(id);
}

/** Lists what composes left in a target directory, downloads included. */
function listLeft(targetDir: string): readonly string[] {
  const incoming = join(targetDir, '.packages/incoming');
  return [...readdirSync(targetDir).filter((name) => name.includes('odcs-')), ...readdirSync(incoming)];
}

const full = join(composer.folder, 'full');
mkdirSync(full);
const mount = (): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', full]).status === 0;
const unmount = (): boolean => spawnSync('umount', [full]).status === 0;
const mounting = mount() && unmount() ? {} : { skip: 'mounting a file system needs root' };

for (const { type } of sourceDefinitions) {
  describe(`limits of source type ${type}`, async () => {
    const trial = await trials[type]();
    for (const { what, code, message = /./, ...oversized } of await oversizedInputs[type](trial)) {
      test(`a compose whose input is too large, ${what}, ends with ${code} and leaves nothing`, async () => {
        const sources = { [type]: await openTrialSource(type, oversized.context) };
        const { signal } = new AbortController();
        const planning = { ...context, signal, progress: () => undefined, sources };
        await assert.rejects(planCompose(planning, oversized.request), { code, message });
        const ended = await compose({ ...context, sources }, oversized.request);
        assert.equal(ended.state, 'failed');
        assert.notEqual(ended.stateReason, '');
        assert.deepEqual(listLeft(composer.targetDir), []);
      });
    }

    test('a compose on a full disk says so and leaves nothing', mounting, async () => {
      assert.ok(mount());
      try {
        assert.throws(() => writeFileSync(join(full, 'filler'), Buffer.alloc(1 << 20)), { code: 'ENOSPC' });
        const sources = { [type]: await openTrialSource(type, trial.context) };
        // Storage is looked at elsewhere: it became full after it was found to be well.
        const ended = await compose({ ...context, sources, targetDirs: { default: full } }, trial.request);
        assert.equal(ended.state, 'failed');
        assert.match(
          ended.stateReason ?? '',
          /The disk of the target directory is full; nothing was published/,
        );
        assert.deepEqual(readdirSync(full), ['filler']);
      } finally {
        unmount();
      }
    });

    test('a request with a list of more members than are read is refused', () => {
      const words = Array.from({ length: 10_001 }, (_, index) => `w${index}`);
      const parse = (body: object) => () => parseComposeRequest(body, requestDefaults(composer.config));
      const refusal = { code: 'request.value_too_large' };
      assert.throws(parse({ source: { type, source: words.join(' ') } }), refusal);
      const source = trial.request.source.join(' ');
      assert.throws(parse({ source: { type, source, packages: words } }), refusal);
      assert.throws(parse({ source: { type, source, builds: words } }), refusal);
    });
  });
}
