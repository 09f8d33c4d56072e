/** How a dependency compares versions, as repodata writes it. */
export type DependencyFlag = 'EQ' | 'LT' | 'GT' | 'LE' | 'GE';

/**
 * One plain dependency (`name`, `name >= epoch:version-release`) or a rich one, whose whole text, parentheses
 * included, is the name. `epoch`, `version`, `release` belong to `flag`; release may be absent.
 */
export interface Dependency {
  readonly name: string;
  readonly flag?: DependencyFlag;
  readonly epoch?: string;
  readonly version?: string;
  readonly release?: string;
  /** Wanted already before a scriptlet runs. */
  readonly pre?: boolean;
}
