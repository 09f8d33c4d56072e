import { sourceTypes, type SourceType } from './compose.ts';
import {
  checkComposeWords,
  checkDefinitionWords,
  checkModuleWords,
  checkPulpWords,
  checkPungiComposeWords,
  checkRawConfig,
  type SourceTypeRules,
} from './source-type-rules.ts';

/** What every type of source is held to. */
const table = {
  tag: { words: 'a Koji tag', isMade: true },
  module: {
    words: 'modules, NAME:STREAM and more',
    isMade: true,
    mayLackWords: ({ scratch_modules: scratch }) => Array.isArray(scratch) && scratch.length > 0,
    checkWords: checkModuleWords,
  },
  repo: { words: 'a repository, a directory or a URL', isMade: true, areRepositories: true },
  pulp: {
    words: 'content sets or repositories of Pulp',
    isMade: true,
    hasNoPackages: true,
    checkWords: checkPulpWords,
  },
  raw_config: { words: 'NAME#COMMIT of a Pungi configuration', isMade: true, checkWords: checkRawConfig },
  build: { words: 'nothing, its builds are named beside it', isMade: true, mayLackWords: () => true },
  pungi_compose: {
    words: 'the URL of a variant of a Pungi compose',
    isMade: true,
    areRepositories: true,
    checkWords: checkPungiComposeWords,
  },
  compose: {
    words: 'composes of this service, by id or series',
    isMade: true,
    checkWords: checkComposeWords,
  },
  definition: {
    words: 'NAME or NAME#COMMIT of a definition of a main compose',
    isMade: true,
    checkWords: checkDefinitionWords,
  },
} as const satisfies Readonly<Record<SourceType, SourceTypeRules>>;

/** The types that this version makes composes of. */
export type MadeSourceType = {
  [Type in SourceType]: (typeof table)[Type]['isMade'] extends true ? Type : never;
}[SourceType];

/** The table, as its readers see it. */
export const sourceTypeRules: Readonly<Record<SourceType, SourceTypeRules>> = table;

/** Every type, in the order of the table. */
export const sourceTypeNames: readonly SourceType[] = Object.keys(sourceTypes).filter(isSourceType);

/** Whether a word names a source type. */
export function isSourceType(word: unknown): word is SourceType {
  return typeof word === 'string' && Object.hasOwn(sourceTypes, word);
}
