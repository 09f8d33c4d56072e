import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { formatTreeSummary } from '../../../src/composer/build/format-tree-summary.ts';
import { storeManifest } from '../../../src/database/manifests.ts';
import { fingerprintOf } from '../../../src/model/fingerprint.ts';
import { givenCompose } from '../compose-rows.ts';
import { openTestApi } from '../open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const lineOf = (place: string, nevra: string): string => `package\t${place}\tbinary\t${nevra}\tsha256:1\t-`;

async function givenMade(lines: readonly string[]): Promise<number> {
  const fingerprint = fingerprintOf(lines);
  await storeManifest(api.database, fingerprint, lines);
  const id = await givenCompose(api, { state: 'done', time_done: api.now, fingerprint });
  await api.database.kysely.updateTable('composes').set({ series: 'main' }).where('id', '=', id).execute();
  return id;
}

function write(id: number, path: string, text: string): void {
  const place = join(api.targetDir, `odcs-${id}`, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, text);
}

test('a main compose shows each arch of each variant: packages, size, what changed, and its repository', async () => {
  const before = await givenMade([
    lineOf('AppStream/x86_64', 'vim-0:9.0-1.x86_64'),
    lineOf('BaseOS/x86_64', 'bash-0:5.1-1.x86_64'),
  ]);
  const id = await givenMade([
    lineOf('AppStream/x86_64', 'ed-0:1.14-1.x86_64'),
    lineOf('AppStream/x86_64', 'vim-0:9.1-1.x86_64'),
    lineOf('BaseOS/x86_64', 'bash-0:5.1-1.x86_64'),
  ]);
  const tree = (variant: string, sizes: readonly number[]) => ({
    variant,
    arch: 'x86_64',
    binary: sizes.map((size) => ({ why: 'input', package: { size } })),
    debug: [],
    source: [],
  });
  write(
    id,
    'logs/global/trees.json',
    // What the composer writes, of no more than it looks at.
    formatTreeSummary({
      trees: [tree('AppStream', [1_200_000, 300_000]), tree('BaseOS', [999]), tree('BaseOS-HA', [1])],
      repoclosures: [
        { variant: 'AppStream', arch: 'x86_64', unresolved: [{}, {}] },
        { variant: 'BaseOS', arch: 'x86_64', unresolved: [] },
      ],
    }),
  );
  const variants = { BaseOS: { type: 'variant', variants: ['HA'] }, 'BaseOS-HA': { type: 'addon' } };
  write(id, 'compose/metadata/composeinfo.json', JSON.stringify({ payload: { variants } }));
  const { status, text } = await api.call('GET', `/console/composes/${id}`);
  assert.equal(status, 200);
  const rows = text
    .slice(text.indexOf('id="variants"'), text.indexOf('</table>', text.indexOf('id="variants"')))
    .split('<tr>')
    .slice(2)
    .map((row) =>
      row
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    );
  assert.deepEqual(rows, [
    'AppStream x86_64 2 0 debug, 0 source 1.5 MB 1 upgraded, 1 added repository 2 unresolved',
    'BaseOS x86_64 1 0 debug, 0 source 999 B nothing repository closed',
    'BaseOS-HA x86_64 1 0 debug, 0 source 1 B nothing repository',
  ]);
  assert.ok(text.includes(`/odcs-${id}/compose/AppStream/x86_64/os/"`));
  assert.ok(text.includes(`/odcs-${id}/compose/BaseOS/x86_64/os/addons/HA/"`));
  assert.doesNotMatch((await api.call('GET', `/console/composes/${before}`)).text, /id="variants"/);
});

test('a list of trees that is damaged or not ours is left out', async () => {
  const id = await givenMade([lineOf('BaseOS/x86_64', 'ed-0:1-1.x86_64')]);
  for (const damaged of ['{', '[{"variant": 3}]', 'null']) {
    write(id, 'logs/global/trees.json', damaged);
    const { status, text } = await api.call('GET', `/console/composes/${id}`);
    assert.deepEqual([status, text.includes('id="variants"')], [200, false]);
  }
});
