import { existsSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { listPlacements } from '../../composer/build/build.ts';
import type { Config } from '../../composer/main/config-value.ts';
import { listTrees } from '../../composer/compose-trees.ts';
import type { ComposePlan } from '../../composer/plan.ts';

/** The ways packages come into trees; hard links become copies where they cannot be made. Source: main compose contract 7. */
const linkTypes = ['hardlink-or-copy', 'hardlink', 'copy', 'symlink', 'abspath-symlink'] as const;
export type LinkType = (typeof linkTypes)[number];

/** Returns the option `link_type` of a valid configuration. */
export function linkTypeOf(config: Config): LinkType {
  return linkTypes.find((type) => type === config.get('link_type')) ?? 'hardlink-or-copy';
}

/**
 * Replaces the packages of a compose that is built by links to where they were read, relative to where the compose will lie
 * in the end or absolute. Packages that were downloaded stay as they are: their files here may go.
 */
export function linkPackages({
  building,
  final,
  plan,
  isRelative,
}: {
  readonly building: string;
  readonly final: string;
  readonly plan: Pick<ComposePlan, 'selection'>;
  readonly isRelative: boolean;
}): void {
  const { selection } = plan;
  const top = realpathSync(final);
  for (const { package: rpm, path } of listTrees(selection).flatMap((tree) =>
    listPlacements(selection, tree),
  )) {
    const { origin } = rpm;
    const place = join(building, path);
    if (origin.kind !== 'file' || !existsSync(place)) continue;
    const target = isRelative ? relative(join(top, dirname(path)), realpathSync(origin.path)) : origin.path;
    rmSync(place);
    symlinkSync(target, place);
  }
}
