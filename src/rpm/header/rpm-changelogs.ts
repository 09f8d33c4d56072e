import type { RpmHeader } from './rpm-header.ts';
import { Tag } from './tags.ts';

/** An entry of a changelog; strings are bytes as characters. */
export interface RawChangelog {
  readonly author: string;
  /** Unix seconds. */
  readonly time: number;
  readonly text: string;
}

/** The changelog as the header has it, newest first. Throws `rpm.lists_disagree`. */
export function rawChangelogsOf({ main }: RpmHeader): RawChangelog[] {
  const authors = main.rawStrings(Tag.changelogName);
  const times = main.integers(Tag.changelogTime);
  const texts = main.rawStrings(Tag.changelogText);
  if (times.length !== authors.length || texts.length !== authors.length) {
    const what = `The changelog has ${authors.length} names, ${times.length} times, ${texts.length} texts`;
    throw main.problem('rpm.lists_disagree', Tag.changelogName, what);
  }
  return authors.map((author, index) => ({ author, time: times[index] ?? 0, text: texts[index] ?? '' }));
}
