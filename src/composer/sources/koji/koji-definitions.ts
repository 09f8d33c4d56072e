import { kojiSource } from '../../koji/koji-source.ts';
import { withAdvisories } from '../../koji/with-advisories.ts';
import { withModules } from '../../modules/with-modules.ts';
import type { SelectPackages } from '../../selection.ts';
import { defineSource, type SourceContext } from '../source-definition.ts';

/** A Koji tag, with builds and modules a request adds. */
export const tagSourceDefinition = defineSource({ type: 'tag', isOfHub: true, open: openKojiSource });

/** Builds of Koji alone. */
export const buildSourceDefinition = defineSource({ type: 'build', isOfHub: true, open: openKojiSource });

function openKojiSource({ koji, modules, advisories }: SourceContext): SelectPackages | null {
  if (koji === null || modules === null) return null;
  const select = withModules(kojiSource(koji), modules);
  return advisories === null ? select : withAdvisories(select, advisories);
}
