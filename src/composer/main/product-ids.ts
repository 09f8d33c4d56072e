import { ReactorError } from '../../model/errors.ts';

/**
 * The product certificate of an arch of a variant among the names of a directory: `<anything><uid>-<arch>-*.pem`. Null
 * where none is there and that is allowed. Throws `main.product_id`. Source: main compose contract 7.
 */
export function findProductId(
  names: readonly string[],
  uid: string,
  arch: string,
  allowed: { readonly isMissingFine: boolean; readonly isPrefixFine: boolean },
): string | null {
  const found = names.filter((name) => {
    if (!name.endsWith('.pem')) return false;
    const at = name.indexOf(`${uid}-${arch}-`);
    return allowed.isPrefixFine ? at >= 0 : at === 0;
  });
  const [first = null] = found;
  if (found.length === 1 || (first === null && allowed.isMissingFine)) return first;
  const what = first === null ? 'No product certificate found' : 'Multiple product certificates found';
  throw new ReactorError('main.product_id', `${what} (arch: ${arch}, variant: ${uid})`, {
    hint:
      found.length > 1
        ? `Found: ${found.toSorted().join(', ')}.`
        : 'Certificates are called like Server-x86_64-abc.pem.',
  });
}
