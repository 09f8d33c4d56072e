import { ReactorError } from '../../model/errors.ts';
import { releaseOf, typeSuffixOf, type ComposeIdentity } from '../../rpm/productmd.ts';

/** What an image of a compose is called where its options leave that to the compose. */
export interface ImageWords {
  /** Returns a version: that of the compose where none is given. */
  readonly version: (text: string | undefined) => string;
  /** Returns a release: that of the compose for null, and null where none is given, so that Koji counts. */
  readonly release: (text: string | null | undefined) => string | null;
}

/**
 * Returns the words of a compose. Both throw `main.image_invalid` for a generator that nobody knows. Source: Pungi's
 * `image_version`, `image_release` and `version_generator`.
 */
export function imageWordsOf(identity: ComposeIdentity): ImageWords {
  const { label, date, respin } = identity;
  const { version } = releaseOf(identity);
  const [milestone = '', ofLabel = ''] = label?.split('-') ?? [];
  const whole = label === null || milestone === 'RC' ? version : `${version}_${milestone}`;
  const release = label === null ? `${date}${typeSuffixOf(identity.type)}.${respin}` : ofLabel;
  const generated = new Map([
    ['!OSTREE_VERSION_FROM_LABEL_DATE_TYPE_RESPIN', `${whole}.${release}`],
    ['!RELEASE_FROM_LABEL_DATE_TYPE_RESPIN', release],
    ['!RELEASE_FROM_DATE_RESPIN', `${date}.${respin}`],
    ['!VERSION_FROM_VERSION_DATE_RESPIN', `${version}.${date}.${respin}`],
    ['!VERSION_FROM_VERSION', version],
  ]);
  const wordOf = (text: string): string => {
    if (!text.startsWith('!')) return text;
    const word = generated.get(text);
    if (word !== undefined) return word;
    throw new ReactorError('main.image_invalid', `Unknown version generator '${text}'`, {
      hint: `There are: ${[...generated.keys()].join(', ')}.`,
    });
  };
  return {
    version: (text) => (text === undefined ? whole : wordOf(text)),
    release: (text) => (text === undefined ? null : text === null ? release : wordOf(text)),
  };
}
