import { ReactorError } from '../../model/errors.ts';
import { dashedCandidates, parseModuleRequest, type ModuleRequest } from '../../model/nsvc.ts';

/** One word of a module source: as later releases write it, or the readings of the dashed form of 0.0.1. */
export type ModuleWord =
  | { readonly kind: 'exact'; readonly request: ModuleRequest }
  | { readonly kind: 'dashed'; readonly text: string; readonly candidates: readonly ModuleRequest[] };

/**
 * Reads the words of a module source. A word without a colon is refused unless `allowDashed`. Throws `module.invalid`
 * and `module.base_requested` in ODCS's words. Source: module contract 1.1; first release, "The request".
 */
export function readModuleWords(
  words: readonly string[],
  options: { readonly baseModuleNames: readonly string[]; readonly allowDashed: boolean },
): readonly ModuleWord[] {
  return words.map((word) => {
    if (word.includes(':') || !options.allowDashed) {
      const request = parseModuleRequest(word);
      if (options.baseModuleNames.includes(request.name)) throw baseRequested(request.name);
      return { kind: 'exact', request };
    }
    const candidates = dashedCandidates(word).filter(({ name }) => !options.baseModuleNames.includes(name));
    if (candidates.length === 0) parseModuleRequest(word);
    return { kind: 'dashed', text: word, candidates };
  });
}

function baseRequested(name: string): ReactorError {
  return new ReactorError(
    'module.base_requested',
    `ODCS currently cannot create compose with base modules, but ${name} was requested.`,
    { hint: 'Base modules stand for the system itself; name the modules that are installed on it.' },
  );
}

/**
 * The only reading of a dashed word that exists. Throws `module.unknown` where none does and `module.ambiguous`
 * where several do, naming them.
 */
export function chooseReading(
  word: { readonly text: string; readonly candidates: readonly ModuleRequest[] },
  exists: (candidate: ModuleRequest, index: number) => boolean,
  states: string,
): number {
  const found = word.candidates.flatMap((candidate, index) => (exists(candidate, index) ? [index] : []));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const readings = (indexes: readonly number[]): string =>
    indexes.map((index) => word.candidates[index]?.text ?? '').join(', ');
  if (first === undefined) {
    throw new ReactorError(
      'module.unknown',
      `Failed to find module ${word.text} in ${states} state in the MBS.`,
      {
        hint: `Looked for ${readings([...word.candidates.keys()])}.`,
      },
    );
  }
  throw new ReactorError('module.ambiguous', `The module ${word.text} can be read as ${readings(found)}.`, {
    hint: 'Write the one you mean with colons.',
  });
}
