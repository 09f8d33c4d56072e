import { checkName, isName } from './names.ts';
import { checkModuleRequest, parseModuleRequest } from './nsvc.ts';
import { refuseRequest, type JsonObject } from './request-fields.ts';

/** What the words of a source are checked against. */
export interface KnownSources {
  readonly rawConfigNames: readonly string[];
  readonly baseModuleNames: readonly string[];
  /**
   * `dashes` for release 0.0.1, whose modules are written `name-stream`; which split is meant only MBS can tell.
   */
  readonly moduleForm: 'colons' | 'dashes';
}

/** What a request for a type of source is held to, wherever requests are checked. */
export interface SourceTypeRules {
  /** What its words are, for people: `a Koji tag`. */
  readonly words: string;
  /** Whether this version makes composes of it; then the composer has a source of the type. */
  readonly isMade: boolean;
  /** Whether its words are repositories, which not every client may read. */
  readonly areRepositories?: boolean;
  /** Whether composes of it only name packages of others. */
  readonly hasNoPackages?: boolean;
  /** Whether a request may come without words. Never where this is missing. */
  readonly mayLackWords?: (source: JsonObject) => boolean;
  /** Throws `request.…` for words that cannot be meant. Source: ODCS contract 3, "Per type". */
  readonly checkWords?: (words: readonly string[], known: KnownSources) => void;
}

/** Checks a Pungi configuration at a commit. Throws `request.invalid_source`, `request.unknown_raw_config`. */
export function checkRawConfig(words: readonly string[], { rawConfigNames: names }: KnownSources): void {
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

/** Checks the modules of a source. Throws `module.invalid`, `request.base_module`, `request.invalid_name`. */
export function checkModuleWords(words: readonly string[], known: KnownSources): void {
  for (const word of words) checkModuleWord(word, known);
}

function checkModuleWord(word: string, { moduleForm: form, baseModuleNames }: KnownSources): void {
  const isDashed = form === 'dashes' && !word.includes(':') && /.-./.test(word);
  if (isDashed) checkName('moduleName', word, { code: 'request.invalid_name', where: 'source' });
  const name = isDashed ? (word.split('-')[0] ?? word) : checkModuleRequest(parseModuleRequest(word)).name;
  if (baseModuleNames.includes(name)) {
    refuseRequest(
      'request.base_module',
      `ODCS currently cannot create compose with base modules, but ${name} was requested.`,
    );
  }
}

/** Checks composes of this service, by id or by the name of their series. Throws `request.invalid_source`, `request.invalid_name`. */
export function checkComposeWords(words: readonly string[]): void {
  words.forEach(checkComposeWord);
}

function checkComposeWord(word: string): void {
  if (/^\d+$/.test(word) && !Number.isSafeInteger(Number(word))) {
    refuseRequest('request.invalid_source', `There can be no compose with the id ${word}.`);
  }
  checkName('series', word, { code: 'request.invalid_name', where: 'source' });
}

/**
 * Checks a definition, at a commit where one is named, and composes for its parts: `product#main baseos=17`. Throws
 * `request.invalid_source`.
 */
export function checkDefinitionWords(words: readonly string[]): void {
  const [word = '', ...pins] = words;
  if (!/^[a-z0-9][a-z0-9.-]{0,79}(?:#[^#\s]{1,200})?$/.test(word)) {
    refuseRequest(
      'request.invalid_source',
      'A source of type "definition" is the name of a definition.',
      'Write NAME, or NAME#COMMIT for one in a repository.',
    );
  }
  for (const pin of pins) {
    if (/^[^=]+=[1-9]\d{0,14}$/.test(pin)) continue;
    refuseRequest(
      'request.invalid_source',
      `"${pin}" names no compose for a part.`,
      'Write SERIES=ID after the name of the definition.',
    );
  }
}

/** Checks the URL of one variant of a compose of Pungi. Throws `request.invalid_source`. */
export function checkPungiComposeWords(words: readonly string[]): void {
  const [word = '', ...others] = words;
  const url = URL.parse(word);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  const variant = url?.pathname.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const isPlain = url?.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (others.length === 0 && isHttp && isPlain && isName('variant', variant)) return;
  refuseRequest(
    'request.invalid_source',
    'A source of type "pungi_compose" is the http(s) URL of one variant of a compose.',
    'Write https://HOST/…/compose/Server.',
  );
}

/** Checks content sets and ids of repositories of Pulp. Throws `request.invalid_name`. */
export function checkPulpWords(words: readonly string[]): void {
  for (const word of words) checkName('contentSet', word, { code: 'request.invalid_name', where: 'source' });
}
