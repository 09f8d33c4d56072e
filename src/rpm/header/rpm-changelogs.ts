import type { RpmHeader } from './rpm-header.ts';
import { Tag } from './tags.ts';

/** An entry of a changelog: where in the file its strings begin. */
export interface PlacedChangelog {
  readonly authorAt: number;
  /** Unix seconds. */
  readonly time: number;
  readonly textAt: number;
}

/**
 * The newest entries of the changelog, at most so many, newest first as the header has them. Throws `rpm.lists_disagree`.
 */
export function rawChangelogsOf({ main }: RpmHeader, most: number): PlacedChangelog[] {
  const names = main.stringValues(Tag.changelogName);
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
  let authorAt = names?.begin ?? 0;
  return times.slice(0, most).map((time) => {
    const entry = { authorAt, time, textAt };
    authorAt = main.endOfString(authorAt) + 1;
    textAt = main.endOfString(textAt) + 1;
    return entry;
  });
}
