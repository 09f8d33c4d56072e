import { sourceTypes, type SourceType } from './compose.ts';
import { checkName } from './names.ts';
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

/** Whether a word names a source type. */
export function isSourceType(word: unknown): word is SourceType {
  return typeof word === 'string' && Object.hasOwn(sourceTypes, word);
}

/** For the reader of an error about source types. */
export const knownTypes = `Known are: ${Object.keys(sourceTypes).join(', ')}.`;

/** The words of `source`, each once, in order. Throws `request.missing_source` where the type needs one. */
export function sourceWords(source: JsonObject, type: SourceType): readonly string[] {
  const words = unique(wordsOf(textField(source, 'source') ?? ''));
  const scratch = source['scratch_modules'];
  const isOptional = type === 'build' || (type === 'module' && Array.isArray(scratch) && scratch.length > 0);
  if (words.length === 0 && !isOptional) {
    refuseRequest('request.missing_source', `No source provided for ${sourceTypes[type]}`);
  }
  return words;
}

/**
 * What each type asks of its source's words. `modules` is `dashes` for release 0.0.1, whose modules are written
 * `name-stream`; which split is meant only MBS can tell. Source: ODCS contract 3, "Per type".
 */
export function checkSource(
  type: SourceType,
  words: readonly string[],
  known: { readonly rawConfigNames: readonly string[]; readonly baseModuleNames: readonly string[] },
  modules: 'colons' | 'dashes',
): void {
  if (type === 'raw_config') checkRawConfig(words, known.rawConfigNames);
  if (type === 'module') for (const word of words) checkModule(word, known.baseModuleNames, modules);
  if (type === 'compose') words.forEach(checkComposeWord);
}

function checkRawConfig(words: readonly string[], names: readonly string[]): void {
  const [word = '', ...others] = words;
  if (others.length > 0) {
    refuseRequest('request.invalid_source', 'Only single source is allowed for "raw_config" source_type');
  }
  const [name, commit, ...rest] = word.split('#');
  if (!name || !commit || rest.length > 0) {
    refuseRequest(
      'request.invalid_source',
      'Source must be in "source_name#commit_hash" format for "raw_config" source_type.',
    );
  }
  if (!names.includes(name)) {
    refuseRequest('request.unknown_raw_config', `Source "${name}" does not exist in server configuration.`);
  }
}

function checkModule(word: string, baseModules: readonly string[], form: 'colons' | 'dashes'): void {
  const isDashed = form === 'dashes' && !word.includes(':') && /.-./.test(word);
  if (isDashed) checkName('moduleName', word, { code: 'request.invalid_name', where: 'source' });
  const name = isDashed ? (word.split('-')[0] ?? word) : checkModuleRequest(parseModuleRequest(word)).name;
  if (baseModules.includes(name)) {
    refuseRequest(
      'request.base_module',
      `ODCS currently cannot create compose with base modules, but ${name} was requested.`,
    );
  }
}

/** The modules of a list field, where it is given. Throws `module.invalid`. */
export function checkModules(words: readonly string[] | null): readonly string[] | null {
  for (const word of words ?? []) checkModuleRequest(parseModuleRequest(word));
  return words;
}

/** Our own type: composes of this service by id, or by the name of their series. */
function checkComposeWord(word: string): void {
  if (/^\d+$/.test(word) && !Number.isSafeInteger(Number(word))) {
    refuseRequest('request.invalid_source', `There can be no compose with the id ${word}.`);
  }
  checkName('series', word, { code: 'request.invalid_name', where: 'source' });
}
