import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readPlan, writePlan } from '../../../src/composer/plan-file.ts';
import { planCompose, type ReadyPlan } from '../../../src/composer/plan.ts';
import type { SelectPackages } from '../../../src/composer/selection.ts';
import { sourceDefinitions } from '../../../src/source-types.ts';
import { createLog } from '../../../src/log.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { ReactorError } from '../../../src/model/errors.ts';
import { openTrialSource, skew, trials } from './source-trials.ts';

const log = createLog('silent');

/** Counts what a compose holds: packages, or repositories that it names. */
function countContent({ manifest }: ReadyPlan): number {
  return manifest.filter((line) => /^(?:package|option\trepository )/.test(line)).length;
}

for (const { type } of sourceDefinitions) {
  describe(`source type ${type}`, async () => {
    const { context, request, shuffled } = await trials[type]();
    const openSource = (): Promise<SelectPackages> => openTrialSource(type, context);
    const plan = (
      select: SelectPackages,
      asked: ComposeRequest,
      signal = new AbortController().signal,
    ): Promise<ReadyPlan> => {
      const output = { delivery: 'link', compression: 'zstd' } as const;
      return planCompose(
        { log, signal, progress: () => undefined, sources: { [type]: select }, output },
        asked,
      );
    };

    test('composes the same twice, as opened anew', async () => {
      const select = await openSource();
      const first = await plan(select, request);
      assert.ok(countContent(first) > 0);
      assert.deepEqual((await plan(select, request)).manifest, first.manifest);
      assert.deepEqual((await plan(await openSource(), request)).manifest, first.manifest);
    });

    test('takes sets of any order, with members twice, for the same compose', async () => {
      const select = await openSource();
      assert.deepEqual((await plan(select, shuffled)).manifest, (await plan(select, request)).manifest);
    });

    test('selects plain data, and reads metadata of every package', async () => {
      const { reader, inputs: _inputs, ...data } = await plan(await openSource(), request);
      assert.deepEqual(readPlan(writePlan(data)), structuredClone(data));
      const packages = data.selection.trees.flatMap((tree) =>
        [...tree.binary, ...tree.debug, ...tree.source].map((selected) => selected.package),
      );
      const loaded = await reader.loadFragments(packages, new AbortController().signal);
      assert.equal(loaded.length, packages.length);
    });

    test('has a tree and comps for every arch of the variants it names, or neither beside foreign repositories', async () => {
      const { selection } = await plan(await openSource(), request);
      const arches = selection.trees.map(({ variant, arch }) => `${variant}.${arch}`);
      if (selection.foreign.length > 0) {
        assert.deepEqual([selection.variants, arches, selection.documents], [[], [], []]);
        return;
      }
      // Variants are gathered in the order in which they lean on each other.
      assert.deepEqual(
        arches.toSorted(),
        selection.variants.flatMap(({ uid }) => request.arches.map((arch) => `${uid}.${arch}`)).sort(),
      );
      assert.ok(arches.length > 0);
      const comps = selection.documents.filter((document) => document.type === 'group');
      assert.deepEqual(comps.map(({ variant, arch }) => `${variant}.${arch}`).sort(), arches.toSorted());
    });

    test('ends with the reason of a signal that has aborted', async () => {
      const reason = new ReactorError('compose.timeout', 'The compose took too long.');
      await assert.rejects(plan(await openSource(), request, AbortSignal.abort(reason)), reason);
    });

    test('goes on for one compose when another of the same inputs is cancelled', async () => {
      const select = await openSource();
      const cancel = new AbortController();
      const cancelled = plan(select, request, cancel.signal);
      const wanted = plan(select, request);
      const reason = new ReactorError('compose.cancelled', 'Canceled by alice');
      cancel.abort(reason);
      const [first, second] = await Promise.allSettled([cancelled, wanted]);
      assert.equal(first.status === 'rejected' ? first.reason : first.status, reason);
      assert.equal(second.status, 'fulfilled', second.status === 'rejected' ? String(second.reason) : '');
    });

    for (const flags of [[], ['no_deps' as const]]) {
      test(`takes an empty list of packages for everything, with flags ${flags.join() || 'none'}`, async () => {
        const select = await openSource();
        const empty = await plan(select, { ...request, packages: [], flags });
        const missing = await plan(select, { ...request, packages: null, flags });
        assert.deepEqual(empty.manifest, missing.manifest);
        const named = await plan(select, { ...request, flags });
        assert.ok(countContent(empty) >= countContent(named) && countContent(empty) > 0);
      });
    }

    test('tells people what is only about this making without another fingerprint, and warns with one', async () => {
      const select = await openSource();
      const whole = await plan(select, request);
      const withWords = async (words: { readonly remarks?: string[]; readonly warnings?: string[] }) => {
        const told: SelectPackages = async (context, asked) => {
          const { selection, reader } = await select(context, asked);
          return { selection: { ...selection, ...words }, reader };
        };
        return plan(told, request);
      };
      const remarked = await withWords({ remarks: ['A part lacks an arch.'] });
      assert.deepEqual(
        [remarked.fingerprint, remarked.manifest, remarked.selection.remarks],
        [whole.fingerprint, whole.manifest, ['A part lacks an arch.']],
      );
      assert.notEqual((await withWords({ warnings: ['Mind the gap.'] })).fingerprint, whole.fingerprint);
    });

    test('decides nothing by the clock of this machine, which nobody holds against that of a hub', async () => {
      const { manifest } = await plan(await openSource(), request);
      try {
        for (const days of [-2, 2]) {
          skew.ahead = days * 86_400_000;
          assert.deepEqual(
            (await plan(await openSource(), request)).manifest,
            manifest,
            `${days} days ahead`,
          );
        }
      } finally {
        skew.ahead = 0;
      }
    });
  });
}
