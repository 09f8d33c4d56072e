import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { planContext } from '../../../../src/composer/composer-context.ts';
import { planCompose, type ReadyPlan } from '../../../../src/composer/plan.ts';
import type { SourceType } from '../../../../src/source-types.ts';
import { thinOnPostgresql } from '../../../database/open-test-database.ts';
import { defaultRequest } from '../../../default-request.ts';
import { compareRecorded } from '../../main/compare-recorded.ts';
import { readVectors, universe } from '../../main/recorded-vectors.ts';
import { openTestComposer } from '../../open-test-composer.ts';
import { makeConfigurationRepository, startMainHub, vectorOf } from '../raw-config/recorded-configuration.ts';
import { importRecorded } from './import-recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'imported-definitions-'));
const definitions = join(folder, 'definitions');
const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
const profile = join(folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);
const composer = await openTestComposer({
  koji_profile: 'fixture',
  repodata_compression: 'gzip',
  koji_config: profile,
  repo_roots: [universe],
  raw_config_urls: {
    fixture: { url: repository.url, config_filename: 'fixture.conf', path: 'configs' },
  },
  definitions_dir: definitions,
});
after(async () => {
  await composer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function plan(sourceType: SourceType, source: string): Promise<ReadyPlan> {
  const context = planContext(
    composer.context,
    { series: null, targetDir: 'default' },
    { log: composer.context.log, signal: new AbortController().signal, progress: () => undefined },
  );
  return planCompose(context, { ...defaultRequest, sourceType, source: [source] });
}

/** All lines but that of warnings: a definition has nothing that a validation would warn of. */
function contentOf({ manifest }: ReadyPlan): string[] {
  return manifest.filter((line) => !line.startsWith('option\tnotes\t'));
}

const made = readVectors().filter(({ result }) => result.exit === 0);

for (const vector of thinOnPostgresql(made, { every: 8 })) {
  test(`the definition imported of "${vector.name}" has the fingerprint of its configuration`, async () => {
    const commit = repository.commit(vector, (text) => text.replaceAll('@RUN@/', ''));
    await importRecorded(vector, { folder, definitions });
    const ofConfiguration = await plan('raw_config', `fixture#${commit}`);
    const ofDefinition = await plan('definition', vector.name);
    assert.ok(ofConfiguration.manifest.some((line) => line.startsWith('package\t')));
    assert.deepEqual(contentOf(ofDefinition), contentOf(ofConfiguration));
  });
}

test('every recorded configuration that ended well was imported', () => {
  assert.equal(made.length, 40);
});

for (const name of ['extra-files-ok', 'link-copy-xz-productid', 'modules-by-name', 'layered-product']) {
  test(`the definition imported of "${name}" composes the recorded tree`, async () => {
    const vector = vectorOf(name);
    await importRecorded(vector, { folder, definitions });
    const compose = await composer.compose({
      ...defaultRequest,
      sourceType: 'definition',
      source: [name],
      composeType: 'test',
      flags: ['no_reuse'],
    });
    assert.equal(compose.state, 'done', compose.stateReason ?? '');
    const top = join(composer.targetDir, `odcs-${compose.id}`);
    assert.equal(await compareRecorded(vector, top, { date: '20261122', respin: compose.id }), 'equal');
  });
}
