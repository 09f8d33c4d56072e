import { manifestLineOf, manifestOf } from '../../src/model/fingerprint.ts';

/** The manifest of a compose that holds one unsigned package for x86_64. */
export function manifestHolding(nevra: string, payload: string): string[] {
  return manifestOf({
    variants: [],
    trees: [{ variant: 'Temporary', arch: 'x86_64' }],
    documents: [],
    packageLines: [
      manifestLineOf({
        variant: 'Temporary',
        arch: 'x86_64',
        kind: 'binary',
        nevra,
        payload,
        sigkey: null,
        fileName: '',
        reference: '',
      }),
    ],
    options: {},
  });
}
