import { ReactorError } from '../model/errors.ts';
import type { Selection } from './selection.ts';

/**
 * Checks that every requested name is in the result and that a glob has matched something. Throws
 * `compose.packages_missing`. Source: ODCS contract 15, pungi contract 0.
 */
export function checkPresent(
  requested: readonly string[],
  selection: Pick<Selection, 'trees' | 'unmatched'>,
): void {
  if (requested.length === 0) return;
  const present = new Set<string>();
  for (const tree of selection.trees) {
    for (const { package: rpm } of [...tree.binary, ...tree.debug]) present.add(rpm.name);
  }
  const unmatched = new Set(selection.unmatched);
  const missing = requested.filter((name) => (/[*?[]/.test(name) ? unmatched.has(name) : !present.has(name)));
  if (missing.length === 0) return;
  throw new ReactorError(
    'compose.packages_missing',
    `The following requested packages are not present in the generated compose: ${missing.join(' ')}.`,
    {
      hint: 'They are not in the source for any requested arch, are excluded, or come from a lookaside repository.',
    },
  );
}
