/** Which composes of a series are kept although their life is over. Null where nothing is said. */
export interface Keep {
  /** The newest so many. */
  readonly last: number | null;
  /** The last of each day, for so many milliseconds back. */
  readonly dailyMs: number | null;
  /** The last of each week, for so many milliseconds back. */
  readonly weeklyMs: number | null;
}

/** Which composes that the links of releases show live on: the latest of a release, that of each of its labels too, or none. */
export type KeptReleases = 'latest' | 'labels' | 'none';
