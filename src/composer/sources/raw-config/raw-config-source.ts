import { LRUCache } from 'lru-cache';
import type { SelectPackages } from '../../selection.ts';
import { openMainMeans } from '../../main-inputs/open-main-means.ts';
import {
  checkMainRequest,
  selectDefinition,
  type MainMeans,
  type SourcedDefinition,
} from '../../main-inputs/select-definition.ts';
import { defineSource } from '../source-definition.ts';
import { readConfiguration } from './read-configuration.ts';

const CONFIGURATIONS_KEPT = 8;

/** Configurations of Pungi. Offered where the settings name some. */
export const rawConfigSourceDefinition = defineSource({
  type: 'raw_config',
  open: (context) =>
    Object.keys(context.config.raw_config_urls).length === 0
      ? null
      : rawConfigSource(openMainMeans({ ...context, composes: null })),
});

/**
 * The source type `raw_config`: the main compose that a configuration at a commit defines. Packages, arches and signing
 * keys are the configuration's. Its select throws `main.*`, `git.*`, `koji.*`, `repo.*`, `rpm.*`, `module.*`.
 * Source: ODCS contract 17.
 */
function rawConfigSource(means: MainMeans): SelectPackages {
  const configurations = new LRUCache<string, SourcedDefinition>({ max: CONFIGURATIONS_KEPT });
  return async (context, request) => {
    checkMainRequest(request);
    context.progress('resolve', 0, 1, 'step');
    const configuration = await readConfiguration({ ...means, configurations }, request, context.signal);
    return selectDefinition(means, context, request, configuration);
  };
}
