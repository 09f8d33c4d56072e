import type { ComposeResult } from './compose.ts';
import { type SourceType, definitionOfType, sourceTypeNames } from '../source-types.ts';

/** What can be made: source types and results. */
export interface Offers {
  readonly sourceTypes: readonly SourceType[];
  readonly results: readonly ComposeResult[];
}

/** What this version can make at all, whatever its settings. */
export const knownOffers: Offers = {
  sourceTypes: sourceTypeNames,
  results: ['repository', 'iso'],
};

/** Why something cannot be made, as an error says it. */
export interface NotOffered {
  readonly code: 'compose.source_type_unavailable' | 'compose.result_unavailable';
  readonly message: string;
  readonly hint: string;
}

/**
 * Finds what of a request is not offered; undefined where all is. Flags that only Pulp composes know mean nothing to
 * other source types, as in ODCS, so they ask for nothing. Source: ODCS contract 2, `flags`.
 */
export function findNotOffered(
  request: { readonly sourceType: string; readonly results: readonly string[] },
  { sourceTypes, results }: Offers,
): NotOffered | undefined {
  const sourceType = sourceTypes.find((type) => type === request.sourceType);
  if (sourceType === undefined) {
    return {
      code: 'compose.source_type_unavailable',
      message: `Composes of source type "${request.sourceType}" are not made by this service.`,
      hint: `It makes: ${sourceTypes.join(', ')}; GET /api/1/about/ lists them.`,
    };
  }
  const missing = request.results.find((result) => !results.some((offered) => offered === result));
  if (missing === undefined) {
    const { hasNoPackages } = definitionOfType[sourceType];
    const ofPackages = request.results.find((result) => result !== 'repository');
    if (ofPackages === undefined || hasNoPackages !== true) return undefined;
    return {
      code: 'compose.result_unavailable',
      message: `The result "${ofPackages}" is not made of composes of source type "${request.sourceType}".`,
      hint: 'Such a compose names the repositories of others and has no packages itself.',
    };
  }
  return {
    code: 'compose.result_unavailable',
    message: `The result "${missing}" is not made by this service.`,
    hint: `It makes: ${results.join(', ')}; GET /api/1/about/ lists them.`,
  };
}
