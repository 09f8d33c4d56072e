import { kojiSource } from '../../koji/koji-source.ts';
import { withModules } from '../../modules/with-modules.ts';
import type { SelectPackages } from '../../selection.ts';
import { defineSource, type SourceContext } from '../source-definition.ts';

/** A Koji tag, with builds and modules a request adds. */
export const tagSourceDefinition = defineSource({ type: 'tag', isOfHub: true, open: openKojiSource });

/** Builds of Koji alone. */
export const buildSourceDefinition = defineSource({ type: 'build', isOfHub: true, open: openKojiSource });

function openKojiSource({ koji, modules }: SourceContext): SelectPackages | null {
  return koji === null || modules === null ? null : withModules(kojiSource(koji), modules);
}
