/**
 * Every source type, a line each: requests, OpenAPI, what the service says of itself, rules and the command line know the
 * types of this list, and the composer opens them (`source-types.ts`).
 */
export { tagSource, buildSource } from './koji/koji-definitions.ts';
export { moduleSource } from './module/module-definition.ts';
export { repoSource } from './repo/repo-definition.ts';
export { pulpSource } from './pulp/pulp-definition.ts';
export { rawConfigSource } from './raw-config/raw-config-definition.ts';
export { pungiComposeSource } from './pungi-compose/pungi-compose-definition.ts';
export { composeSource } from './compose/compose-definition.ts';
export { definitionSource } from './definition/definition-definition.ts';
