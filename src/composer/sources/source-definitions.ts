import type { MadeSourceType } from '../../model/source-types.ts';
import { composeSourceDefinition } from './compose/compose-source.ts';
import { buildSourceDefinition, tagSourceDefinition } from './koji/koji-definitions.ts';
import { definitionSourceDefinition } from './definition/definition-source.ts';
import { moduleSourceDefinition } from './module/module-source.ts';
import { pulpSourceDefinition } from './pulp/pulp-source.ts';
import { pungiComposeSourceDefinition } from './pungi-compose/pungi-compose-source.ts';
import { rawConfigSourceDefinition } from './raw-config/raw-config-source.ts';
import { repoSourceDefinition } from './repo/repo-source.ts';
import type { SourceDefinition } from './source-definition.ts';

/** Every source type that is made, a line each: the compiler misses one that `model/source-types.ts` says is made. */
const byType: { readonly [Type in MadeSourceType]: SourceDefinition<Type> } = {
  tag: tagSourceDefinition,
  module: moduleSourceDefinition,
  repo: repoSourceDefinition,
  pulp: pulpSourceDefinition,
  raw_config: rawConfigSourceDefinition,
  build: buildSourceDefinition,
  pungi_compose: pungiComposeSourceDefinition,
  compose: composeSourceDefinition,
  definition: definitionSourceDefinition,
};

/** The same, as a list. */
export const sourceDefinitions: readonly SourceDefinition[] = Object.values(byType);
