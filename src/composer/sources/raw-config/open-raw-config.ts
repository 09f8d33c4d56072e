import { LRUCache } from 'lru-cache';
import type { Config } from '../../../config.ts';
import { ReactorError } from '../../../model/errors.ts';
import { rawConfigEngines, type RawConfigEngine } from '../../../pungi-settings.ts';
import { findNotNative } from '../../main/find-not-native.ts';
import { patternCache } from '../../python-pattern.ts';
import { Slots } from '../../pungi/slots.ts';
import type { SelectPackages } from '../../selection.ts';
import { openMainResources } from '../../main-inputs/open-main-resources.ts';
import {
  checkMainRequest,
  selectDefinition,
  type MainResources,
  type SourcedDefinition,
} from '../../main-inputs/select-definition.ts';
import type { SourceContext } from '../source-definition.ts';
import {
  findConfiguration,
  servicesOf,
  placeOf,
  readConfiguration,
  type ConfigurationResources,
  type ConfigurationPlace,
  type FoundConfiguration,
} from './read-configuration.ts';
import { selectForPungi, wrapperOf, type PungiResources } from './select-for-pungi.ts';

const CONFIGURATIONS_KEPT = 8;
/** Bytes of their files; a larger configuration is read each time. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Why a configuration is left to Pungi where that may make it: it may read repositories that this service may not. */
const leftToPungi: ReadonlySet<string> = new Set(['main.not_native', 'git.url_refused']);

/** Opens the source type `raw_config`, with what it keeps from one compose to the next. */
export function openRawConfig(context: SourceContext): SelectPackages {
  const configurations = new LRUCache<string, SourcedDefinition>({
    max: CONFIGURATIONS_KEPT,
    maxSize: MOST_BYTES,
  });
  context.caches.register({
    measure: () => [
      { name: 'configurations', entries: configurations.size, bytes: configurations.calculatedSize },
    ],
  });
  context.caches.register(patternCache);
  return rawConfigSource({
    ...openMainResources({ ...context, composes: null }),
    pungiSlots: new Slots(context.config.concurrent_pungi),
    configurations,
  });
}

/**
 * The source type `raw_config`: the main compose that a configuration at a commit defines. Packages, arches and signing
 * keys are the configuration's. Its select throws `main.*`, `git.*`, `koji.*`, `repo.*`, `rpm.*`, `module.*`.
 * Source: ODCS contract 17.
 */
function rawConfigSource(resources: MainResources & PungiResources & ConfigurationResources): SelectPackages {
  const selectNatively: SelectPackages = async (context, request) => {
    checkMainRequest(request);
    const configuration = await readConfiguration(resources, request, context.signal);
    return selectDefinition(resources, context, request, configuration);
  };
  return async (context, request) => {
    context.progress('resolve', 0, 1, 'step');
    const place = placeOf(resources.config, request);
    const engine = engineOf(place);
    if (engine === 'native') return selectNatively(context, request);
    const found = await findConfiguration(place, context.signal);
    if (engine === 'auto' && !isForPungi(resources.config, found)) {
      try {
        return await selectNatively(context, request);
      } catch (error) {
        if (!(error instanceof ReactorError) || !leftToPungi.has(error.code)) throw error;
      }
    }
    // Without a wrapper nothing would obey what the request names beside its configuration.
    if (wrapperOf(resources.config, place.entry) === '') checkMainRequest(request);
    return selectForPungi(resources, context, request, found);
  };
}

/** What makes the composes of a raw config, as its entry in `raw_config_urls` says. */
function engineOf({ entry }: ConfigurationPlace): RawConfigEngine {
  return rawConfigEngines.find((engine) => engine === entry['engine']) ?? 'native';
}

/** Whether it is plain without reading all of it that a configuration is not made here. */
function isForPungi(config: Config, { place, loaded }: FoundConfiguration): boolean {
  return wrapperOf(config, place.entry) !== '' || findNotNative(loaded.config, servicesOf(config)).length > 0;
}
