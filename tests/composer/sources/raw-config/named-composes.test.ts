import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import type { Compose } from '../../../../src/model/compose-json.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import { defaultRequest } from '../../../default-request.ts';
import { universe } from '../../main/recorded-vectors.ts';
import { openTestComposer } from '../../open-test-composer.ts';
import { makeConfigurationRepository, startMainHub, vectorOf } from './recorded-configuration.ts';

const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
const plain = await openTestComposer();
const profile = join(plain.folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);
const composer = await openTestComposer({
  koji_profile: 'fixture',
  koji_config: profile,
  raw_config_urls: {
    fixture: { url: repository.url, config_filename: 'fixture.conf', path: 'configs' },
  },
});
after(async () => {
  await composer[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
});

function ask(source: string, more: Partial<ComposeRequest> = {}): Promise<Compose> {
  return composer.compose({ ...defaultRequest, sourceType: 'raw_config', source: [source], ...more });
}

const infoSchema = z.object({ payload: z.object({ compose: z.record(z.string(), z.unknown()) }) });

test('the composes that a request names as parents, and as what it is made anew of, stand in the metadata', async () => {
  const source = `fixture#${repository.commit(vectorOf('two-variants'), (text) => text.replace('"40"', '"48"'))}`;
  const plain = await ask(source);
  const named = {
    parentPungiComposeIds: ['Base-1-20260101.n.0', 'Base-2-20260101.n.0'],
    respinOf: 'Fix-48-20260101.t.1',
  };
  const compose = await ask(source, named);
  assert.deepEqual([compose.state, compose.reusedId, plain.reusedId], ['done', null, null]);
  const infoOf = ({ id }: Compose): Record<string, unknown> => {
    const path = join(composer.targetDir, `odcs-${id}`, 'compose/metadata/composeinfo.json');
    return infoSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).payload.compose;
  };
  const { parent_compose_ids: parents, respin_of: respinOf } = infoOf(compose);
  assert.deepEqual([parents, respinOf], [named.parentPungiComposeIds, named.respinOf]);
  assert.deepEqual(
    Object.keys(infoOf(plain)).filter((key) => /parent|respin_of/.test(key)),
    [],
  );
  assert.equal((await ask(source, named)).reusedId, compose.id);
  assert.equal(
    (await ask(source, { ...named, parentPungiComposeIds: ['Base-1-20260101.n.0'] })).reusedId,
    null,
  );
});
