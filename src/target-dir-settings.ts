import { z } from 'zod';
import { nameSchema } from './name-schema.ts';
import { setting } from './setting.ts';

const url = z.url({ protocol: /^https?$/, error: 'is no http or https URL' });

/** Where composes lie, and under which addresses people read them. */
export const targetDirSettings = {
  target_dir: setting(
    z.string(),
    '',
    'ODCS_TARGET_DIR',
    'Absolute path composes are published in; default <data_dir>/composes.',
  ),
  target_dir_url: setting(
    z.string(),
    '',
    'ODCS_TARGET_DIR_URL',
    'Public URL of target_dir; default <own address>/composes.',
  ),
  extra_target_dirs: setting(
    z
      .record(nameSchema('targetDir'), z.string())
      .refine((directories) => !Object.hasOwn(directories, 'default'), '"default" is target_dir itself'),
    {},
    'ODCS_EXTRA_TARGET_DIRS',
    'Further directories a request may name with target_dir: name to path.',
  ),
  extra_target_dir_urls: setting(
    z.record(nameSchema('targetDir'), url),
    {},
    'ODCS_EXTRA_TARGET_DIR_URLS',
    'Public URLs of those that some web server serves: name to URL; without one a compose shows empty URLs.',
  ),
};
