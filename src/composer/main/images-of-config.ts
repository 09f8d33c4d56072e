import { ReactorError } from '../../model/errors.ts';
import {
  completeImage,
  imagePhases,
  type ImageDefaults,
  type ImagePhase,
  type ImageTask,
  type JsonValue,
} from '../../model/image-task.ts';
import { valuesByVariant } from './config-mappings.ts';
import { isDictionary, itemsOf, listOf, textsOf, type Config, type ConfigValue } from './config-value.ts';
import { compareVariants, type Variants } from './variants.ts';

/** Returns a value of a configuration as JSON has it. */
export function jsonOfValue(value: ConfigValue): JsonValue {
  if (isDictionary(value)) {
    return Object.fromEntries(Array.from(value, ([key, member]) => [String(key), jsonOfValue(member)]));
  }
  const items = itemsOf(value);
  if (items !== null) return items.map(jsonOfValue);
  return typeof value === 'object' && value !== null ? null : value;
}

/** Options that a phase, or all phases, may set for images that do not say them. Source: Pungi's `get_config`. */
const commonOptions = ['target', 'release', 'version'];
const phaseOptions: Readonly<Record<ImagePhase, readonly string[]>> = {
  kiwibuild: [
    ...commonOptions,
    'description_scm',
    'description_path',
    'type',
    'type_attr',
    'bundle_name_format',
    'repo_releasever',
    'use_buildroot_repo',
  ],
  imagebuilder: [...commonOptions, 'types', 'seed', 'scratch'],
  osbuild: commonOptions,
  osbs: [],
  image_container: [],
};

function defaultsOf(config: Config, phase: ImagePhase): ImageDefaults {
  return Object.fromEntries(
    phaseOptions[phase].flatMap((option) => {
      const places = [`${phase}_${option}`, `global_${option}`];
      const found = places.find((name) => config.has(name));
      const value = found === undefined ? undefined : config.get(found);
      return value === undefined ? [] : [[option, jsonOfValue(value)]];
    }),
  );
}

/**
 * Reads the images of a valid configuration, variant by variant. Throws `main.config_invalid` for one that lacks what Koji
 * needs. Source: Pungi's phases of these names.
 */
export function readImageTasks(
  config: Config,
  variants: Variants,
  checksums: readonly string[],
): ImageTask[] {
  const skipped = new Set(textsOf(config.get('skip_phases')));
  const tasks: ImageTask[] = [];
  for (const { uid, arches } of [...variants.values()].sort(compareVariants)) {
    for (const phase of imagePhases.filter((name) => !skipped.has(name))) {
      const mapping = config.get(phase);
      if (!isDictionary(mapping)) continue;
      for (const image of valuesByVariant(mapping, uid).flatMap(listOf)) {
        if (!isDictionary(image)) continue;
        const options = optionsOf(image);
        const completed = completeImage(
          phase,
          options,
          { uid, arches, checksums },
          defaultsOf(config, phase),
        );
        if (!completed.ok) {
          throw new ReactorError(
            'main.config_invalid',
            `An image of ${phase} for ${uid} lacks ${completed.missing.join(', ')}.`,
            { where: phase, hint: `Give it there, as ${phase}_OPTION, or as global_OPTION.` },
          );
        }
        if (completed.task !== null) tasks.push(completed.task);
      }
    }
  }
  return tasks;
}

/** Only of the release means None something; anywhere else it is as if nothing were said. */
function optionsOf(image: ReadonlyMap<unknown, ConfigValue>): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(
    Array.from(image, ([key, value]) => [String(key), jsonOfValue(value)] as const).filter(
      ([key, value]) => value !== null || key === 'release',
    ),
  );
}
