import type { RpmHeader } from './rpm-header.ts';
import { Tag } from './tags.ts';

/** An entry of a changelog; the author is bytes as characters. */
export interface PlacedChangelog {
  readonly author: string;
  /** Unix seconds. */
  readonly time: number;
  /** Where in the file the text begins. */
  readonly textAt: number;
}

/**
 * The newest entries of the changelog, at most so many, newest first as the header has them. Throws `rpm.lists_disagree`.
 */
export function rawChangelogsOf({ main }: RpmHeader, most: number): PlacedChangelog[] {
  const names = main.stringValues(Tag.changelogName);
  const authors = main.rawStrings(Tag.changelogName, most);
  const times = main.integers(Tag.changelogTime);
  const texts = main.stringValues(Tag.changelogText);
  const counts = [names?.count ?? 0, texts?.count ?? 0] as const;
  if (times.length !== counts[0] || times.length !== counts[1]) {
    const what = `The changelog has ${counts[0]} names, ${times.length} times, ${counts[1]} texts`;
    throw main.problem('rpm.lists_disagree', Tag.changelogName, what);
  }
  main.checkStrings(Tag.changelogName);
  main.checkStrings(Tag.changelogText);
  let textAt = texts?.begin ?? 0;
  return authors.map((author, index) => {
    const entry = { author, time: times[index] ?? 0, textAt };
    textAt = main.endOfString(textAt) + 1;
    return entry;
  });
}
