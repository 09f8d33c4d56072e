import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { sharedPath } from '../shared.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';

const vectorSchema = z.object({
  name: z.string(),
  request: z.object({
    source: z.string().optional(),
    packages: z.array(z.string()).optional(),
    arches: z.array(z.string()).optional(),
    check_deps: z.boolean().optional(),
    gather_method: z.string().optional(),
  }),
  errors: z.array(z.string()),
  status: z.string(),
  files: z.array(z.string()),
  composeinfo: z.unknown(),
  rpms_json: z.unknown(),
});
const vectors = z
  .array(vectorSchema)
  .parse(JSON.parse(readFileSync(sharedPath('pungi', 'compose-vectors.json'), 'utf8')))
  .filter(({ request }) => request.source !== undefined);
const documentSchema = z.object({
  header: z.object({ type: z.string(), version: z.string() }),
  payload: z
    .object({ rpms: z.unknown(), compose: z.unknown(), variants: z.unknown(), release: z.unknown() })
    .partial(),
});

// Runs once: what is composed does not depend on the database.
const composer = await openTestComposer();
after(() => composer[Symbol.asyncDispose]());

function sourceOf(place: string): string {
  return place.startsWith('odcs/') ? sharedPath(place) : sharedPath('pungi', place);
}

function requestOf({ request }: z.infer<typeof vectorSchema>, packages: readonly string[]) {
  return repoRequest(sourceOf(request.source ?? ''), packages, {
    arches: request.arches ?? ['x86_64'],
    flags: [
      ...(request.check_deps === true ? ['check_deps' as const] : []),
      ...(request.gather_method === 'nodeps' ? ['no_deps' as const] : []),
      'no_reuse',
    ],
  });
}

/** Files below a directory, repodata reduced to its repomd.xml as in the recordings. */
function listFiles(directory: string, prefix = ''): string[] {
  return readdirSync(join(directory, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) return listFiles(directory, path);
    return prefix.endsWith('repodata') && entry.name !== 'repomd.xml' ? [] : [path];
  });
}

/** What Pungi composed although ODCS then failed the compose: a requested name that is nowhere. */
const absent = new Set(['e-not-there']);

/** Our id and date instead of the recorded ones. */
function withOwnName(value: unknown, id: number): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(/odcs-1\b/g, `odcs-${id}`));
}

/** Pungi makes an empty compose of a repository without packages; here it holds everything, as a tag does. */
const emptyThere = new Set(['edge-nopkgs']);

for (const vector of vectors.filter(
  (recorded) => recorded.status === 'FINISHED' && !emptyThere.has(recorded.name),
)) {
  test(`composes "${vector.name}" into the files and metadata that were recorded`, async () => {
    const packages = (vector.request.packages ?? []).filter((name) => !absent.has(name));
    const done = await composer.compose(requestOf(vector, packages));
    assert.equal(done.state, 'done', done.stateReason ?? '');
    const top = join(composer.targetDir, `odcs-${done.id}`);
    const own = [`Temporary/odcs-${done.id}.repo`, 'metadata/provenance.json'];
    const files = listFiles(join(top, 'compose')).sort();
    assert.deepEqual(files, [...vector.files, ...own].sort());
    const read = (name: string) =>
      documentSchema.parse(JSON.parse(readFileSync(join(top, 'compose/metadata', name), 'utf8')));
    assert.deepEqual(read('rpms.json').payload.rpms, vector.rpms_json);
    const recorded = withOwnName(vector.composeinfo, done.id);
    assert.deepEqual(read('composeinfo.json').payload, recorded);
    assert.equal(readFileSync(join(top, 'STATUS'), 'utf8'), 'FINISHED\n');
    assert.equal(read('modules.json').header.type, 'productmd.modules');
  });
}

test('a requested package that is nowhere fails the compose as ODCS fails it', async () => {
  const vector = vectors.find((recorded) => recorded.name === 'edge');
  assert.ok(vector);
  const failed = await composer.compose(requestOf(vector, vector.request.packages ?? []));
  assert.equal(failed.state, 'failed');
  assert.match(
    failed.stateReason ?? '',
    /^Error while generating compose: The following requested packages are not present in the generated compose: e-not-there\./,
  );
  assert.ok(!readdirSync(composer.targetDir).some((name) => name.includes(`odcs-${failed.id}`)));
});

test('unresolved dependencies fail a compose that checks them, named as recorded', async () => {
  const vector = vectors.find((recorded) => recorded.name === 'edge-checkdeps');
  assert.ok(vector);
  const failed = await composer.compose(requestOf(vector, vector.request.packages ?? []));
  assert.equal(failed.state, 'failed');
  const recorded = /in package (\S+)\s*: \[(.*)\]/s.exec(vector.errors[0] ?? '');
  const dependencies = (recorded?.[2] ?? '').replaceAll("'", '');
  assert.match(failed.stateReason ?? '', /Unresolved dependencies/);
  assert.ok(
    failed.stateReason?.includes(`in package ${recorded?.[1]}: ${dependencies}`),
    failed.stateReason ?? '',
  );
});

test('the packages of a compose are hard links to those of its repository', async () => {
  const done = await composer.compose(
    repoRequest(sharedPath('odcs', 'repo'), ['ed'], { flags: ['no_reuse'] }),
  );
  const name = 'ed-1.14.1-2.module_fd8ca23e.x86_64.rpm';
  const placed = statSync(
    join(composer.targetDir, `odcs-${done.id}/compose/Temporary/x86_64/os/Packages/e/${name}`),
  );
  const original = statSync(sharedPath('odcs', 'repo', name));
  const isSameFileSystem = statSync(composer.targetDir).dev === original.dev;
  assert.equal(placed.size, original.size);
  if (isSameFileSystem) assert.equal(placed.ino, original.ino);
});
