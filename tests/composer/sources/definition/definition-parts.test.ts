import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createDemoRepository } from '../../../../src/commands/demo/demo-files.ts';
import type { OpenableSource } from '../../../../src/composer/open-sources.ts';
import { retireComposes } from '../../../../src/composer/retire.ts';
import { unpublishCompose } from '../../../../src/composer/publish.ts';
import { sourceDefinitions } from '../../../../src/source-types.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import { readModuleDocuments } from '../../../../src/rpm/modulemd.ts';
import { defaultRequest } from '../../../default-request.ts';
import { universe } from '../../main/recorded-vectors.ts';
import { openTestComposer, repoRequest } from '../../open-test-composer.ts';
import { startMainHub } from '../raw-config/recorded-configuration.ts';

const folder = mkdtempSync(join(tmpdir(), 'definition-parts-'));
const hub = await startMainHub({ after });
const profile = join(folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);

/** What happens once a main compose is planned and before it is built. */
let oncePlanned: (() => Promise<void>) | null = null;
const definitions = sourceDefinitions.map((definition): OpenableSource => {
  if (definition.type !== 'definition') return definition;
  return {
    ...definition,
    async open(context) {
      const select = await definition.open(context);
      if (select === null) return null;
      return async (...asked) => {
        const selected = await select(...asked);
        const work = oncePlanned;
        oncePlanned = null;
        await work?.();
        return selected;
      };
    },
  };
});
const composer = await openTestComposer(
  {
    definitions_dir: folder,
    koji_profile: 'fixture',
    koji_config: profile,
    repodata_compression: 'gzip',
    sigkeys: [''],
  },
  definitions,
);
after(async () => {
  await composer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);

/** Makes a compose of a series. */
async function part(series: string, request: ComposeRequest): Promise<number> {
  const done = await composer.compose(request, { series });
  assert.equal(done.state, 'done', done.stateReason ?? '');
  return done.id;
}

function define(name: string, series: string): ComposeRequest {
  writeFileSync(
    join(folder, `${name}.yaml`),
    `version: 1
name: ${name}
release: { name: Product, short: Product, version: "1" }
arches: [x86_64]
inputs: { composes: [${series}] }
gather: { check_deps: false }
variants: { AppStream: { packages: ["*"] } }
`,
  );
  return { ...defaultRequest, sourceType: 'definition', source: [name] };
}

test('the modules of a part are modules of the variant that takes from it', async () => {
  const ofModule: ComposeRequest = {
    ...defaultRequest,
    sourceType: 'module',
    source: ['basket:2.0'],
    modularKojiTags: ['f42-modular-base'],
  };
  await part('modules', ofModule);
  const done = await composer.compose(define('modular', 'modules'));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  const top = join(composer.targetDir, `odcs-${done.id}/compose`);
  const repodata = join(top, 'AppStream/x86_64/os/repodata');
  const file = readdirSync(repodata).find((name) => name.endsWith('-modules.yaml.gz')) ?? '';
  const streams = readModuleDocuments(gunzipSync(readFileSync(join(repodata, file))).toString(), file);
  assert.deepEqual(
    streams.map((document) =>
      document.kind === 'stream' ? `${document.name}:${document.stream}` : document.kind,
    ),
    ['basket:2.0'],
  );
  const { payload } = JSON.parse(readFileSync(join(top, 'metadata/modules.json'), 'utf8'));
  const nsvc = 'basket:2.0:4200020250202020202:0a1b2c3d';
  assert.deepEqual(Object.keys(payload.modules.AppStream.x86_64), [nsvc]);
  assert.equal(
    payload.modules.AppStream.x86_64[nsvc].metadata.koji_tag,
    'module-basket-2.0-4200020250202020202-0a1b2c3d',
  );
});

/** Lets a published compose say something else in its documents of modules, as another version of the service may. */
function rewriteModules(id: number, change: (text: string) => string): void {
  const repodata = join(composer.targetDir, `odcs-${id}/compose/Temporary/x86_64/os/repodata`);
  const name = readdirSync(repodata).find((entry) => entry.endsWith('-modules.yaml.gz')) ?? '';
  const plain = change(gunzipSync(readFileSync(join(repodata, name))).toString());
  const packed = gzipSync(plain);
  const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
  const other = `${digest(packed)}-modules.yaml.gz`;
  writeFileSync(join(repodata, other), packed);
  const path = join(repodata, 'repomd.xml');
  const repomd = readFileSync(path, 'utf8').replace(/<data type="modules">.*?<\/data>/s, (record) =>
    record
      .replace(/(<checksum type="sha256">)[^<]*/, `$1${digest(packed)}`)
      .replace(/(<open-checksum type="sha256">)[^<]*/, `$1${digest(plain)}`)
      .replace(/(<location href=")[^"]*/, `$1repodata/${other}`)
      .replace(/(<size>)\d+/, `$1${packed.length}`)
      .replace(/(<open-size>)\d+/, `$1${Buffer.byteLength(plain)}`),
  );
  rmSync(path);
  writeFileSync(path, repomd);
}

test('of two documents of one module that of the newer compose counts, in whichever order the parts are named', async () => {
  const ofModule: ComposeRequest = {
    ...defaultRequest,
    sourceType: 'module',
    source: ['basket:2.0'],
    modularKojiTags: ['f42-modular-base'],
    flags: ['no_reuse'],
  };
  const older = await part('modules-older', ofModule);
  const newer = await part('modules-newer', ofModule);
  assert.ok(newer > older);
  const summaries = { [older]: 'as the older compose has it', [newer]: 'as the newer compose has it' };
  for (const id of [older, newer]) {
    rewriteModules(id, (text) => text.replace(/^( +summary:).*$/m, `$1 ${summaries[id]}`));
  }
  for (const [name, order] of [
    ['old-first', 'modules-older, modules-newer'],
    ['new-first', 'modules-newer, modules-older'],
  ] as const) {
    const done = await composer.compose(define(name, order));
    assert.equal(done.state, 'done', done.stateReason ?? '');
    const directory = `odcs-${done.reusedId ?? done.id}`;
    const repodata = join(composer.targetDir, directory, 'compose/AppStream/x86_64/os/repodata');
    const file = readdirSync(repodata).find((entry) => entry.endsWith('-modules.yaml.gz')) ?? '';
    const text = gunzipSync(readFileSync(join(repodata, file))).toString();
    assert.match(text, /as the newer compose has it/, name);
    assert.doesNotMatch(text, /as the older compose has it/, name);
    const told = new RegExp(`Compose ${older} \\(modules-older\\) has an older document of basket:2\\.0`);
    assert.match(done.warnings.join('\n'), told);
  }
});

test('a part that is removed while the main compose is made: the next attempt takes what the series shows then', async () => {
  const gone = await part('expiring', repoRequest(repository.directory, ['bash', 'ed']));
  const request = define('of-expiring', 'expiring');
  let fresh = 0;
  oncePlanned = async () => {
    fresh = await part('expiring', repoRequest(repository.directory, ['bash', 'curl']));
    await unpublishCompose(composer.targetDir, gone);
  };
  const { id } = await composer.insert(request);
  await assert.rejects(composer.run(id, { isLast: false }), { fate: 'retry' });
  const waiting = await composer.find(id);
  assert.match(waiting.stateReason ?? '', /^Waits to be tried again\./);
  assert.ok(!readdirSync(composer.targetDir).includes(`odcs-${id}`), 'nothing was published');
  const done = await composer.run(id, { number: 2 });
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.equal(done.source, `of-expiring expiring=${fresh}`);
});

test('a part that the janitor removes while the main compose is made, and that nothing replaces, fails it by its number', async () => {
  const id = await part('ending', repoRequest(repository.directory, ['bash', 'nginx']));
  const request = define('of-ending', 'ending');
  oncePlanned = async () => {
    const { now } = composer;
    composer.now = new Date(now.getTime() + 365 * 86_400_000);
    await retireComposes(composer.context);
    composer.now = now;
  };
  const { id: main } = await composer.insert(request);
  await assert.rejects(composer.run(main, { isLast: false }), { fate: 'retry' });
  assert.equal((await composer.find(id)).state, 'removed');
  const failed = await composer.run(main, { number: 2 });
  assert.equal(failed.state, 'failed');
  assert.match(failed.stateReason ?? '', /ending/);
  assert.ok(!readdirSync(composer.targetDir).some((name) => name.includes(`odcs-${main}`)));
});
