import { z } from 'zod';
import { nameSchema } from './name-schema.ts';
import { isPungiTimeout, rawConfigEngines } from './pungi-settings.ts';
import { setting } from './setting.ts';

const seconds = z.number().int().positive();
const isSecondsOrNothing = (value: unknown): boolean =>
  value === undefined || seconds.safeParse(value).success;

const rawConfig = z.record(
  nameSchema('rawConfig'),
  z
    .record(z.string(), z.union([z.string(), z.number()]))
    .refine(
      (entry) => [entry['seconds_to_live'], entry['max_seconds_to_live']].every(isSecondsOrNothing),
      'seconds_to_live and max_seconds_to_live are positive whole numbers of seconds',
    )
    .refine(
      ({ engine }) => engine === undefined || rawConfigEngines.some((known) => known === engine),
      `engine is one of ${rawConfigEngines.join(', ')}`,
    )
    .refine(
      ({ pungi_timeout: timeout }) => timeout === undefined || isPungiTimeout(timeout),
      'pungi_timeout is a positive whole number of seconds, at most 23 hours',
    ),
);

const definitionUrls = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9.-]{0,79}$/, 'small letters, digits, dots and dashes'),
  z.strictObject({ url: z.string(), path: z.string().optional(), filename: z.string().optional() }),
);

/** Where main composes are defined. */
export const mainComposeSettings = {
  raw_config_urls: setting(
    rawConfig,
    {},
    'RAW_CONFIG_URLS',
    'Pungi configurations that may be composed: name to url, config_filename, path, commit, engine, seconds_to_live and more.',
  ),
  definitions_dir: setting(
    z.string(),
    '',
    'ODCS_DEFINITIONS_DIR',
    'Directory of definitions of main composes, one YAML file each; empty means none.',
  ),
  definition_urls: setting(
    definitionUrls,
    {},
    'ODCS_DEFINITION_URLS',
    'Definitions of main composes in git: name to url, path (a directory) and filename (NAME.yaml without it).',
  ),
};
