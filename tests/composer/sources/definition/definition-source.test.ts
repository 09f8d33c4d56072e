import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../../../src/commands/demo/demo-files.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import type { Compose } from '../../../../src/model/compose-json.ts';
import { openTestComposer, repoRequest } from '../../open-test-composer.ts';

const definitions = mkdtempSync(join(tmpdir(), 'definitions-'));
after(() => rmSync(definitions, { recursive: true }));
const composer = await openTestComposer({ definitions_dir: definitions });
after(() => composer[Symbol.asyncDispose]());
const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);

async function part(series: string, packages: readonly string[], more: Partial<ComposeRequest> = {}) {
  const done = await composer.compose(repoRequest(repository.directory, packages, more), { series });
  assert.equal(done.state, 'done', done.stateReason ?? '');
  return done;
}

function define(name: string, text: string): void {
  writeFileSync(
    join(definitions, `${name}.yaml`),
    `version: 1\nname: ${name}\nrelease: { name: Product, short: Product, version: "1" }\n${text}`,
  );
}

function askFor(...source: string[]): ComposeRequest {
  return { ...repoRequest('', []), sourceType: 'definition', source, packages: null };
}

/** Names of the binary packages of a variant. */
function namesOf(compose: Compose, variant: string, arch = 'x86_64'): string[] {
  const file = join(composer.targetDir, `odcs-${compose.id}/compose/metadata/rpms.json`);
  const { payload } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.values<Record<string, { category: string }>>(payload.rpms[variant]?.[arch] ?? {})
    .flatMap((rpms) => Object.entries(rpms))
    .flatMap(([nevra, { category }]) => (category === 'binary' ? [nevra.replace(/-\d+:.*/, '')] : []))
    .sort();
}

const product = `arches: [x86_64]
inputs: { composes: [baseos, appstream] }
gather: { check_deps: false }
variants:
  BaseOS: { from: [baseos], packages: ["*"] }
  AppStream: { from: [appstream], packages: ["*"], lookaside: [BaseOS] }
`;

test('a compose of series has a variant of each, and names the composes they showed', async () => {
  const baseos = await part('baseos', ['bash', 'ed']);
  const appstream = await part('appstream', ['nginx', 'ed']);
  define('product', product);
  const done = await composer.compose(askFor('product'));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.equal(done.source, `product baseos=${baseos.id} appstream=${appstream.id}`);
  assert.deepEqual(namesOf(done, 'BaseOS'), ['bash', 'ed']);
  assert.ok(namesOf(done, 'AppStream').includes('nginx'));
  assert.ok(!namesOf(done, 'AppStream').includes('ed'), 'the lookaside has it');
});

test('a compose that names the composes of its parts is of those, whatever the series show now', async () => {
  const before = await part('pinned', ['bash']);
  await part('pinned', ['curl']);
  define(
    'of-pinned',
    `arches: [x86_64]\ninputs: { composes: [pinned] }\ngather: { check_deps: false }\nvariants: { BaseOS: { packages: ["*"] } }\n`,
  );
  const done = await composer.compose(askFor('of-pinned', `pinned=${before.id}`));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.deepEqual(namesOf(done, 'BaseOS'), ['bash']);
  const strange = await composer.compose(askFor('of-pinned', 'baseos=1'));
  assert.match(strange.stateReason ?? '', /has no part "baseos"/);
});

test('an edited definition counts for the next compose, and one with a mistake says where it is', async () => {
  await part('edited', ['bash']);
  const text = `arches: [x86_64]\ninputs: { composes: [edited] }\ngather: { check_deps: false }\nvariants: { BaseOS: { packages: [bash] } }\n`;
  define('edited', text);
  assert.equal((await composer.compose(askFor('edited'))).state, 'done');
  define('edited', text.replace('variants', 'varants'));
  const failed = await composer.compose(askFor('edited'));
  assert.equal(failed.state, 'failed');
  assert.match(
    failed.stateReason ?? '',
    /edited\.yaml:7:1: There is no "varants" in the definition; did you mean "variants"\?/,
  );
  define('edited', text.replace('BaseOS', 'Server'));
  assert.deepEqual(namesOf(await composer.compose(askFor('edited')), 'Server'), ['bash']);
  const unknown = await composer.compose(askFor('edted'));
  assert.match(unknown.stateReason ?? '', /There is no definition "edted"\. Did you mean "edited"\?/);
});

test('an arch that a part lacks is told, and the others are composed', async () => {
  const { id } = await part('one-arch', ['bash']);
  define(
    'two-arches',
    `arches: [aarch64, x86_64]\ninputs: { composes: [one-arch] }\ngather: { check_deps: false }\nvariants: { BaseOS: { packages: ["*"] } }\n`,
  );
  const done = await composer.compose(askFor('two-arches'));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.deepEqual(namesOf(done, 'BaseOS'), ['bash']);
  assert.deepEqual(namesOf(done, 'BaseOS', 'aarch64'), []);
  assert.match(
    done.warnings.join('\n'),
    new RegExp(`Compose ${id} \\(one-arch\\) has no packages for aarch64`),
  );
});

test('a part whose directory is gone fails the compose with its number, and nothing is published', async () => {
  const gone = await part('gone', ['bash', 'curl', 'nginx']);
  define(
    'of-gone',
    `arches: [x86_64]\ninputs: { composes: [gone] }\ngather: { check_deps: false }\nvariants: { BaseOS: { packages: ["*"] } }\n`,
  );
  const directory = join(composer.targetDir, `odcs-${gone.id}`);
  renameSync(directory, `${directory}.away`);
  after(() => rmSync(`${directory}.away`, { recursive: true, force: true }));
  const failed = await composer.compose(askFor('of-gone'));
  assert.match(failed.stateReason ?? '', new RegExp(`Compose ${gone.id} cannot be read`));
});
