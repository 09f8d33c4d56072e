import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { gatherMain } from '../../../src/composer/main/gather-main.ts';
import { loadConfig } from '../../../src/composer/main/load-config.ts';
import { selectMain } from '../../../src/composer/main/main-selection.ts';
import { readDefinition } from '../../../src/composer/main/read-definition.ts';
import { planCompose } from '../../../src/composer/plan.ts';
import type { SelectPackages, SourcePackage } from '../../../src/composer/selection.ts';
import { sourcePackage } from '../../../src/composer/source-package.ts';
import { createLog } from '../../../src/log.ts';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { makeFragments } from '../../../src/rpm/repodata/make-fragments.ts';
import { defaultRequest } from '../../default-request.ts';
import { buildPlan } from '../build-plan.ts';
import { readPackages } from './recorded-packages.ts';
import { filesOf, readVectors, type MainVector } from './recorded-vectors.ts';

/** A source that composes a recorded configuration, whatever is requested. */
function sourceOf(vector: MainVector): SelectPackages {
  return async () => {
    const files = filesOf(vector);
    const definition = readDefinition(files, loadConfig(files, 'fixture.conf'), {
      variants: 'v',
      comps: 'c',
    });
    const packages = await readPackages(definition);
    const gathered = await gatherMain({ definition, packages });
    const described = new Map<number, SourcePackage>();
    const describe = (id: number): SourcePackage => {
      const path = packages.pathOf(id);
      const { modified, inode } = readRpmFile(path);
      const known =
        described.get(id) ??
        sourcePackage({
          ...packages.index.nevraOf(id),
          sourceRpm: packages.index.sourceRpmOf(id),
          fileName: basename(path),
          payload: `sha256:${packages.index.pkgidOf(id)}`,
          sigkey: packages.sigkeyOf(id),
          size: statSync(path).size,
          origin: { kind: 'file', path, stamp: { modified, inode } },
        });
      described.set(id, known);
      return known;
    };
    const pins = { source: vector.name, kojiEvent: 1000 };
    const selection = selectMain({ definition, packages, gathered, pins, moduleDocuments: [], describe });
    const loadFragments = (wanted: readonly SourcePackage[]) =>
      Promise.resolve(
        wanted.map(({ origin }) => {
          assert.ok(origin.kind === 'file');
          const file = readRpmFile(origin.path);
          return makeFragments(file.header, file);
        }),
      );
    return { selection, reader: { loadFragments } };
  };
}

function plan(name: string) {
  const vector = readVectors().find((one) => one.name === name);
  assert.ok(vector);
  const request = { ...defaultRequest, sourceType: 'repo', source: ['recorded'] } as const;
  const context = {
    log: createLog('silent'),
    signal: new AbortController().signal,
    progress: () => undefined,
    sources: { repo: sourceOf(vector) },
    output: { delivery: 'copy', compression: 'gzip' } as const,
  };
  return { vector, planned: planCompose(context, request), output: context.output };
}

const rpmsSchema = z.object({
  payload: z.object({ rpms: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))) }),
});

for (const name of ['two-variants', 'optional-explicit', 'lookaside-chain', 'modules-by-name']) {
  test(`builds the recorded compose "${name}" into trees by variant, with their comps`, async (context) => {
    const { vector, planned, output } = plan(name);
    const top = await buildPlan(context, output, await planned);
    for (const [tree, recorded] of Object.entries(vector.result.rpms)) {
      const built = readdirSync(join(top, 'compose', tree, 'Packages'), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.rpm'))
        .map((path) => basename(path));
      assert.deepEqual(built.sort(), recorded.map((path) => basename(path)).sort(), tree);
    }
    for (const [tree, comps] of Object.entries(vector.result.comps)) {
      const repodata = join(top, 'compose', tree, 'repodata');
      const file = readdirSync(repodata).find((entry) => entry.endsWith('-comps.xml'));
      assert.ok(file, `${tree} has comps`);
      assert.equal(readFileSync(join(repodata, file), 'utf8'), comps);
    }
    const written: unknown = JSON.parse(readFileSync(join(top, 'compose/metadata/rpms.json'), 'utf8'));
    const { rpms } = rpmsSchema.parse(written).payload;
    const { rpms: recorded } = rpmsSchema.shape.payload.parse(vector.result.metadata['rpms.json']);
    assert.deepEqual(Object.keys(rpms).sort(), Object.keys(recorded).sort());
  });
}

test('every package of a plan says why it is there', async () => {
  const { planned } = plan('two-variants');
  const [tree] = (await planned).selection.trees;
  assert.match(
    tree?.binary.find((one) => one.package.name === 'm-libc')?.why ?? '',
    /^m-libc-1\.0-1\.aarch64 is required by /,
  );
});

test('a compose with addons is refused, for no build lays them out', async () => {
  await assert.rejects(plan('addon-shared').planned, { code: 'main.not_native' });
});
