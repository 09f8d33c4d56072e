import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fingerprintOf,
  manifestLineOf,
  manifestOf,
  type ManifestInput,
  type ManifestPackage,
} from '../../src/model/fingerprint.ts';

const ed: ManifestPackage = {
  variant: 'Temporary',
  arch: 'x86_64',
  kind: 'binary',
  nevra: 'ed-0:1.14.1-2.x86_64',
  payload: 'sha256:aa',
  sigkey: null,
  reference: '',
  fileName: 'ed-1.14.1-2.x86_64.rpm',
};
const bash: ManifestPackage = {
  ...ed,
  nevra: 'bash-1:5-1.x86_64',
  payload: 'sha256:bb',
  fileName: 'bash-5-1.x86_64.rpm',
};
const linesOf = (...packages: readonly ManifestPackage[]): string[] => packages.map(manifestLineOf);
const treeOf = (arch: string, variant = 'Temporary') => ({ variant, arch });
const comps = { variant: 'Temporary', arch: 'x86_64', type: 'group', digest: 'a' };
const server = { uid: 'Server', name: 'Server', type: 'variant' };
const base: ManifestInput = {
  variants: [{ uid: 'Temporary', name: 'Temporary', type: 'variant' }],
  trees: [treeOf('x86_64'), treeOf('ppc64le')],
  documents: [],
  packageLines: linesOf(ed, bash),
  options: { delivery: 'files', compression: 'zstd' },
};
const print = (input: ManifestInput): string => fingerprintOf(manifestOf(input));
const withEd = (change: Partial<ManifestPackage>): ManifestInput => ({
  ...base,
  packageLines: linesOf({ ...ed, ...change }, bash),
});

test('whatever may change the bytes of a compose changes its fingerprint', () => {
  const changes: Record<string, ManifestInput> = {
    'another arch': { ...base, trees: [treeOf('x86_64')] },
    'a package less': { ...base, packageLines: linesOf(ed) },
    'an update': withEd({ nevra: 'ed-0:1.14.1-3.x86_64', fileName: 'ed-1.14.1-3.x86_64.rpm' }),
    'another epoch': withEd({ nevra: 'ed-1:1.14.1-2.x86_64' }),
    'another content': withEd({ payload: 'sha256:ab' }),
    signed: withEd({ sigkey: 'fd431d51' }),
    'signature read from the file': withEd({ sigkey: undefined }),
    'another tree': withEd({ kind: 'debug' }),
    'the tree of another arch': withEd({ arch: 'ppc64le' }),
    'another file name': withEd({ fileName: 'ed.rpm' }),
    'referred to': withEd({ reference: 'https://kojipkgs/ed.rpm' }),
    'referred to elsewhere': withEd({ reference: 'https://mirror/ed.rpm' }),
    'another option': { ...base, options: { ...base.options, compression: 'gzip' } },
    'a document': { ...base, documents: [comps] },
    'another document': { ...base, documents: [{ ...comps, digest: 'b' }] },
    'a document of one arch': { ...base, documents: [comps, { ...comps, arch: 'ppc64le', digest: 'b' }] },
    'that of the other arch': {
      ...base,
      documents: [
        { ...comps, digest: 'b' },
        { ...comps, arch: 'ppc64le' },
      ],
    },
    'a document of another type': { ...base, documents: [{ ...comps, type: 'modules' }] },
    'a document of another variant': { ...base, documents: [{ ...comps, variant: 'Server' }] },
    'a variant more': { ...base, variants: [...base.variants, server] },
    'a variant of another type': { ...base, variants: [...base.variants, { ...server, type: 'addon' }] },
    'a tree of another variant': { ...base, trees: [...base.trees, treeOf('x86_64', 'Server')] },
    'a package of another variant': withEd({ variant: 'Server' }),
    'an option more': { ...base, options: { ...base.options, comps: 'x' } },
  };
  const seen = new Map([[print(base), 'nothing']]);
  for (const [what, input] of Object.entries(changes)) {
    const fingerprint = print(input);
    assert.equal(
      seen.get(fingerprint),
      undefined,
      `${what} gives the fingerprint of ${seen.get(fingerprint)}`,
    );
    seen.set(fingerprint, what);
  }
});

test('the order of lists and repetition do not', () => {
  const other: ManifestInput = {
    ...base,
    trees: [treeOf('ppc64le'), treeOf('x86_64'), treeOf('ppc64le')],
    packageLines: linesOf(bash, ed, ed),
    options: { compression: 'zstd', delivery: 'files' },
  };
  assert.equal(print(other), print(base));
});
