import {
  type SourceType,
  definitionOfType,
  isSourceType,
  sourceTypeNames,
  sourceTypes,
} from '../source-types.ts';
import { checkModuleRequest, parseModuleRequest } from './nsvc.ts';
import { quoteBody } from './python-repr.ts';
import { refuseRequest, textField, wordsOf, type JsonObject } from './request-fields.ts';

/** The members of a list, each once, in the order they first stand. */
export function unique(list: readonly string[]): readonly string[] {
  return [...new Set(list)];
}

/** The type of a request's source. Throws `request.missing_type`, `request.unknown_source_type`. */
export function sourceTypeOf(source: JsonObject): SourceType {
  const { type } = source;
  if (type === undefined) {
    refuseRequest(
      'request.missing_type',
      `Missing type in source configuration, received: ${quoteBody(source)}`,
      knownTypes,
    );
  }
  if (!isSourceType(type)) {
    refuseRequest('request.unknown_source_type', `Unknown source type "${String(type)}"`, knownTypes);
  }
  return type;
}

/** For the reader of an error about source types. */
export const knownTypes = `Known are: ${sourceTypeNames.join(', ')}.`;

/** The words of `source`, each once, in order. Throws `request.missing_source` where the type needs one. */
export function sourceWords(source: JsonObject, type: SourceType): readonly string[] {
  const words = unique(wordsOf(textField(source, 'source') ?? ''));
  const { mayLackWords } = definitionOfType[type];
  if (words.length === 0 && mayLackWords?.(source) !== true) {
    refuseRequest('request.missing_source', `No source provided for ${sourceTypes[type]}`);
  }
  return words;
}

/** The modules of a list field, where it is given. Throws `module.invalid`. */
export function checkModules(words: readonly string[] | null): readonly string[] | null {
  for (const word of words ?? []) checkModuleRequest(parseModuleRequest(word));
  return words;
}
