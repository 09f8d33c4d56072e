import type { JsonObject } from './request-fields.ts';

/** What the words of a source are checked against. */
export interface KnownSources {
  readonly rawConfigNames: readonly string[];
  readonly baseModuleNames: readonly string[];
  /**
   * `dashes` for release 0.0.1, whose modules are written `name-stream`; which split is meant only MBS can tell.
   */
  readonly moduleForm: 'colons' | 'dashes';
}

/** A word of a source in a rule that events fill: `${tag}`, `product#${commit}`. */
export interface WordTemplate {
  readonly text: string;
  /** Whether the word is one placeholder and nothing else. */
  readonly isWhole: boolean;
  /** Returns whether a part of the word has placeholders. */
  readonly isTemplate: (text: string) => boolean;
  /** Returns the word with something in the place of every placeholder. */
  readonly fill: (standIn: string) => string;
}

/** What a request for a type of source is held to, wherever requests are checked. */
export interface SourceTypeRules {
  /** The number that clients of ODCS and the database know it by. Source: ODCS contract 2; from 8 on they are ours. */
  readonly number: number;
  /** What its words are, for people: `a Koji tag`. */
  readonly words: string;
  /** Whether its words are repositories, which not every client may read. */
  readonly areRepositories?: boolean;
  /** Whether composes of it only name packages of others. */
  readonly hasNoPackages?: boolean;
  /** Whether a request may come without words. Never where this is missing. */
  readonly mayLackWords?: (source: JsonObject) => boolean;
  /** Throws `request.…` for words that cannot be meant. Source: ODCS contract 3, "Per type". */
  readonly checkWords?: (words: readonly string[], known: KnownSources) => void;
  /**
   * Returns a word that `checkWords` takes where no event has filled it yet, so that what stands around its placeholders is
   * checked. Where this is missing, a name stands for every placeholder.
   */
  readonly fillWord?: (word: WordTemplate, known: Pick<KnownSources, 'rawConfigNames'>) => string;
}
