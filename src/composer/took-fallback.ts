import type { ComposePlan } from './plan.ts';

/**
 * Returns whether a plan took a copy that is not signed with the first of its request's keys: it may be signed with
 * that, or the signed copy be written, without a word from Koji. Source: Koji contract 2 (what is not versioned).
 */
export function tookFallback({ request, selection }: Pick<ComposePlan, 'request' | 'selection'>): boolean {
  if (request.sourceType !== 'tag' && request.sourceType !== 'build' && request.sourceType !== 'module')
    return false;
  const first = request.sigkeys.find((key) => key !== '')?.toLowerCase();
  if (first === undefined) return false;
  return selection.trees.some((tree) =>
    [tree.binary, tree.debug, tree.source].some((packages) =>
      packages.some(({ package: { sigkey } }) => sigkey !== undefined && sigkey !== first),
    ),
  );
}
