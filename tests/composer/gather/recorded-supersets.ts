/** What of a recorded answer is another one here. */
interface Superset {
  /** What there is more, because a rich dependency is evaluated as logic. */
  readonly more: readonly string[];
  /** What is broken then, by package; null for one that is not. */
  readonly broken: Readonly<Record<string, readonly string[] | null>>;
  /** Patterns that are told of as unmatched. */
  readonly unmatched: readonly string[];
}

/** The recorded questions that are answered otherwise, which docs/gather.md names. */
export const supersets: Readonly<Record<string, Superset>> = {
  edge_rich_and: { more: ['e-ra2-1-1.x86_64', 'e-ra2-1-1.src'], broken: {}, unmatched: [] },
  edge_rich_if_main_missing_cond_false: {
    more: [],
    broken: { 'e-rich-if-false.x86_64': null },
    unmatched: [],
  },
  edge_rich_and_second_half_missing: {
    more: [],
    broken: { 'e-rich-and.x86_64': ['(e-ra1 and e-ra2)'] },
    unmatched: [],
  },
  edge_debug_excluded_and_included_debuginfo: { more: [], broken: {}, unmatched: ['d-ver-debuginfo'] },
};
