import { z } from 'zod';
import { setting } from './setting.ts';

const path = z.string().regex(/^(?:$|\/)/, 'is no absolute path');
const words = z.array(z.string());
/** A job may last a day. */
const LONGEST_SECONDS = 82_800;

/** The settings of raw configs that Pungi composes. */
export const pungiSettings = {
  pungi_koji: setting(
    z.string().min(1),
    'pungi-koji',
    'ODCS_PUNGI_KOJI',
    'Program that composes raw configs whose engine is pungi, or auto where the service does not make them itself.',
  ),
  pungi_config_validate: setting(
    z.string(),
    '',
    'ODCS_PUNGI_CONFIG_VALIDATE',
    'Program that checks configurations before Pungi runs: pungi-config-validate; empty means none.',
  ),
  pungi_python: setting(
    z.string().min(1),
    'python3',
    'ODCS_PUNGI_PYTHON',
    'Python with jinja2, which fills in raw_config_wrapper.',
  ),
  pungi_timeout: setting(
    z.number().int().positive().max(LONGEST_SECONDS),
    3_600,
    'ODCS_PUNGI_TIMEOUT',
    'Seconds Pungi may take where its raw config does not say; 23 hours at most.',
  ),
  concurrent_pungi: setting(
    z.number().int().positive(),
    2,
    'ODCS_CONCURRENT_PUNGI',
    'Pungis one process runs at the same time, beside concurrent_composes.',
  ),
  pungi_koji_args: setting(words, [], 'ODCS_PUNGI_KOJI_ARGS', 'Further arguments of Pungi.'),
  raw_config_pungi_koji_args: setting(
    z.record(z.string(), words),
    {},
    'ODCS_RAW_CONFIG_PUNGI_KOJI_ARGS',
    'Arguments of Pungi by raw config, instead of pungi_koji_args.',
  ),
  raw_config_wrapper_conf_path: setting(
    path,
    '',
    'ODCS_RAW_CONFIG_WRAPPER_CONF_PATH',
    'Configuration that Pungi reads instead of a raw config, which it imports as raw_config; a template of Jinja2.',
  ),
  raw_config_schema_override: setting(
    path,
    '',
    'ODCS_RAW_CONFIG_SCHEMA_OVERRIDE',
    'Schema that pungi-config-validate merges into its own.',
  ),
} as const;

/** What makes the composes of a raw config: this service, Pungi, or Pungi where this service does not. */
export const rawConfigEngines = ['native', 'pungi', 'auto'] as const;
export type RawConfigEngine = (typeof rawConfigEngines)[number];

/** The longest that one raw config may give Pungi. */
export function isPungiTimeout(value: unknown): boolean {
  return pungiSettings.pungi_timeout.schema.safeParse(value).success;
}
