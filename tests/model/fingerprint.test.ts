import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fingerprintOf,
  manifestOf,
  type ManifestInput,
  type ManifestPackage,
} from '../../src/model/fingerprint.ts';

const ed: ManifestPackage = {
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
const base: ManifestInput = {
  arches: ['x86_64', 'ppc64le'],
  packages: [ed, bash],
  options: { delivery: 'files', compression: 'zstd' },
};
const print = (input: ManifestInput): string => fingerprintOf(manifestOf(input));
const withEd = (change: Partial<ManifestPackage>): ManifestInput => ({
  ...base,
  packages: [{ ...ed, ...change }, bash],
});

test('whatever may change the bytes of a compose changes its fingerprint', () => {
  const changes: Record<string, ManifestInput> = {
    'another arch': { ...base, arches: ['x86_64'] },
    'a package less': { ...base, packages: [ed] },
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
    arches: ['ppc64le', 'x86_64', 'ppc64le'],
    packages: [bash, ed, ed],
    options: { compression: 'zstd', delivery: 'files' },
  };
  assert.equal(print(other), print(base));
});
