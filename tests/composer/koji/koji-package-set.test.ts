import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTopDir } from '../../../src/composer/koji/koji-files.ts';
import {
  describePackage,
  makePackageSet,
  readExtraContent,
  type KojiCopy,
  type KojiPackage,
  type PackageSetQuery,
} from '../../../src/composer/koji/koji-package-set.ts';
import {
  chooseCopies,
  readSigningWish,
  requireSigned,
  type KnownCopies,
} from '../../../src/composer/koji/signing.ts';
import { listTaggedRpms } from '../../../src/upstream/koji/hub-tags.ts';
import { KojiHub } from '../../../src/upstream/koji/hub.ts';
import { sharedPath } from '../../shared.ts';
import { startHubServer } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';

const state = new StateHub();
const server = await startHubServer(state.answer);
const hub = new KojiHub({ url: server.url });
const files = openTopDir(sharedPath('pungi', 'koji-topdir'));

after(async () => {
  hub.close();
  await server.close();
});

const native = new Set(['x86_64', 'noarch', 'src']);

async function read(
  tag: string | null,
  query: Partial<PackageSetQuery> = {},
): Promise<readonly KojiPackage[]> {
  const whole = { builds: [], scratchTasks: [], arches: native, onlyNames: null, ...query };
  const content = tag === null ? null : await listTaggedRpms(hub, { tag, inherit: true });
  return makePackageSet(content, await readExtraContent(hub, whole), whole);
}

function names(packages: readonly KojiPackage[]): string[] {
  return packages.map(describePackage).sort();
}

function remember(): KnownCopies & { readonly seen: Set<string> } {
  const seen = new Set<string>();
  return {
    seen,
    has: (hash, key) => seen.has(`${hash} ${key}`),
    add: (hash, key) => void seen.add(`${hash} ${key}`),
  };
}

async function choose(
  packages: readonly KojiPackage[],
  sigkeys: readonly string[],
): Promise<readonly KojiCopy[]> {
  return chooseCopies(packages, readSigningWish(sigkeys), files, remember());
}

test('a tag gives the RPMs of the wanted arches, and multilib ones only when they are wanted', async () => {
  const small = names(await read('f-small'));
  assert.ok(small.includes('e-glob-1-1-1.x86_64') && small.includes('e-glob-1-1-1.src'));
  const all = await read('f-all');
  assert.ok(all.every(({ rpm }) => native.has(rpm.arch)));
  const multilib = await read('f-all', { arches: new Set([...native, 'i686']) });
  assert.ok(multilib.length > all.length);
  assert.ok(names(multilib).includes('e-lib-1-1.i686'));
});

test('an added build replaces the build of its package, and the last listed of two wins', async () => {
  const build = await read('f-small', { builds: ['e-glob-1-1-1'] });
  assert.deepEqual(names(build), names(await read('f-small')));
  const version = (packages: readonly KojiPackage[]): string[] =>
    packages.filter(({ rpm }) => rpm.name === 'e-dup' && rpm.arch === 'x86_64').map(({ rpm }) => rpm.version);
  const nvrs = state.nvrsOf('e-dup');
  assert.ok(nvrs.length >= 2, nvrs.join());
  const [first = '', second = ''] = nvrs;
  const versionOf = (nvr: string): string => nvr.split('-').at(-2) ?? '';
  assert.deepEqual(version(await read('f-small', { builds: [first, second] })), [versionOf(second)]);
  assert.deepEqual(version(await read(null, { builds: [second, first] })), [versionOf(first)]);
  assert.deepEqual(version(await read('f-old', { builds: [second] })), [versionOf(second)]);
});

test('scratch builds bring their files beside everything else', async () => {
  const packages = await read('f-small', { scratchTasks: [1000] });
  const scratch = packages.filter((rpm) => rpm.kind === 'scratch');
  assert.deepEqual(
    scratch.map((rpm) => rpm.path),
    ['work/tasks/1/2/e-tie-b-1-1.x86_64.rpm', 'work/tasks/1/2/e-tie-b-1-1.src.rpm'],
  );
});

test('no_deps lets requested names and the source of their builds through', async () => {
  const only = await read('f-all', { onlyNames: new Set(['e-lib-devel']) });
  assert.deepEqual(names(only), ['e-lib-1-1.src', 'e-lib-1-1.x86_64', 'e-lib-devel-1-1.x86_64']);
  assert.deepEqual(await read('f-all', { onlyNames: new Set(['*']) }), []);
});

test('unknown builds and tasks are named', async () => {
  await assert.rejects(read('f-small', { builds: ['e-none-1-1'] }), { code: 'koji.build_unknown' });
  await assert.rejects(read('f-small', { scratchTasks: [77] }), { code: 'koji.task_unknown' });
});

test('the first key whose copy is on disk wins, RPM by RPM', async () => {
  const packages = await read('f-small');
  const keyOf = (copies: readonly KojiCopy[], name: string): string | null | undefined =>
    copies.find((copy) => copy.package.rpm.name === name && copy.package.rpm.arch === 'x86_64')?.sigkey;
  const forward = await choose(packages, ['11223344', 'AABBCCDD']);
  assert.deepEqual(
    ['e-glob-1', 'e-glob-2', 'e-glob-3x'].map((name) => keyOf(forward, name)),
    ['aabbccdd', '11223344', '11223344'],
  );
  const reverse = await choose(packages, ['aabbccdd', '11223344']);
  assert.equal(keyOf(reverse, 'e-glob-2'), 'aabbccdd');
  const glob2 = reverse.find((copy) => copy.package.rpm.name === 'e-glob-2');
  assert.match(glob2?.path ?? '', /^packages\/e-glob-2\/1\/1\/data\/signed\/aabbccdd\//);
});

test('an empty key anywhere is a last resort, never a preference', async () => {
  const packages = await read('f-small');
  for (const sigkeys of [
    ['', 'aabbccdd'],
    ['aabbccdd', ''],
  ]) {
    const copies = await choose(packages, sigkeys);
    assert.ok(copies.every((copy) => !copy.isUnsigned));
    assert.equal(copies.find((copy) => copy.package.rpm.name === 'e-glob-1')?.sigkey, 'aabbccdd');
    assert.equal(copies.find((copy) => copy.package.rpm.name === 'e-glob-3x')?.sigkey, null);
  }
  assert.deepEqual(readSigningWish([]), { keys: [], isUnsignedFine: true });
});

test('a copy that was seen is not looked for again', async () => {
  const rpms = (await read('f-small')).flatMap((rpm) => (rpm.kind === 'build' ? [rpm] : []));
  const hashed = rpms.map((rpm) => ({ ...rpm, rpm: { ...rpm.rpm, payloadHash: String(rpm.rpm.id) } }));
  const known = remember();
  let looks = 0;
  const counting = {
    ...files,
    look: (paths: readonly string[]) => ((looks += paths.length), files.look(paths)),
  };
  const wish = readSigningWish(['aabbccdd', '']);
  const first = await chooseCopies(hashed, wish, counting, known);
  assert.equal(looks, hashed.length);
  looks = 0;
  assert.deepEqual(await chooseCopies(hashed, wish, counting, known), first);
  assert.equal(looks, hashed.length - known.seen.size);
});

test('unsigned packages are refused in the words of Pungi, signed later told from copy missing', async () => {
  const packages = await read('f-small');
  const wish = readSigningWish(['aabbccdd']);
  const copies = await choose(packages, ['aabbccdd']);
  await requireSigned(hub, copies, wish, new Set(['e-glob-1', 'e-zz']));
  const message =
    "RPM(s) not found for sigs: ('aabbccdd',). Check log for details. Unsigned packages:\ne-prov-aa-1-1";
  await assert.rejects(requireSigned(hub, copies, wish, new Set(['e-prov-aa'])), {
    code: 'koji.not_signed_yet',
    message,
    hint: 'Not signed with these keys yet: e-prov-aa-1-1.src, e-prov-aa-1-1.x86_64.',
  });
  state.importSigned('e-prov-aa-1-1', 'aabbccdd');
  await assert.rejects(requireSigned(hub, copies, wish, new Set(['e-prov-aa'])), {
    code: 'koji.signed_copy_missing',
    message,
    hint:
      'Signed, but the signed copy is not on disk: e-prov-aa-1-1.src, e-prov-aa-1-1.x86_64. ' +
      'Write it with: koji write-signed-rpm',
  });
  const twoKeys = readSigningWish(['11223344', '55667788']);
  await assert.rejects(
    requireSigned(hub, await choose(packages, twoKeys.keys), twoKeys, null),
    /^ReactorError: RPM\(s\) not found for sigs: \('11223344', '55667788'\)\. Check log for details\. Unsigned packages:\ne-glob-1-1-1\n/,
  );
});
