import { kojiSource } from '../../koji/koji-source.ts';
import { withAdvisories } from '../../koji/with-advisories.ts';
import { withModules } from '../../modules/with-modules.ts';
import type { SelectPackages } from '../../selection.ts';
import type { SourceContext } from '../source-definition.ts';

/** Returns the source of builds of Koji, with modules and advisories; null where Koji is not configured. */
export function openKojiSource({ koji, modules, advisories }: SourceContext): SelectPackages | null {
  if (koji === null || modules === null) return null;
  const select = withModules(kojiSource(koji), modules);
  return advisories === null ? select : withAdvisories(select, advisories);
}
