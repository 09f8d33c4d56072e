import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createDemoRepository } from '../../../../src/commands/demo/demo-files.ts';
import { retireComposes } from '../../../../src/composer/retire.ts';
import { unpublishCompose } from '../../../../src/composer/publish.ts';
import { sourceDefinitions } from '../../../../src/composer/sources/source-definitions.ts';
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
const definitions = sourceDefinitions.map((one): (typeof sourceDefinitions)[number] => {
  if (one.type !== 'definition') return one;
  return {
    ...one,
    open(context) {
      const select = one.open(context);
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
    streams.map((one) => (one.kind === 'stream' ? `${one.name}:${one.stream}` : one.kind)),
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
