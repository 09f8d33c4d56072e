import { z } from 'zod';
import { nameSchema } from './name-schema.ts';
import { setting } from './setting.ts';

const keyName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'holds letters, digits and . _ - only');
const fingerprint = z
  .string()
  .transform((text) => text.replace(/\s+/g, '').toUpperCase())
  .pipe(
    z.string().regex(/^(?:[0-9A-F]{40}|[0-9A-F]{64})$/, 'is no fingerprint of a key: 40 or 64 hex digits'),
  );

const metadataKey = z
  .strictObject({
    fingerprint,
    public_key: z.string().startsWith('/', 'must be an absolute path'),
    gpg_home: z.string().startsWith('/', 'must be an absolute path').optional(),
    command: z.array(z.string()).min(1).optional(),
  })
  .refine(
    (key) => key.command === undefined || key.gpg_home === undefined,
    'has a command or a gpg_home, not both',
  );

/** The keys that metadata of composes are signed with, and which signs what. */
export const metadataKeySettings = {
  metadata_keys: setting(
    z.record(keyName, metadataKey),
    {},
    'ODCS_METADATA_KEYS',
    'Keys that sign metadata of composes: name to fingerprint, public_key (path of the armored file), and gpg_home or command (a signing program with its arguments).',
  ),
  metadata_key: setting(
    z.string(),
    '',
    'ODCS_METADATA_KEY',
    'Name of the key that signs composes that no other setting has a key for; empty leaves them unsigned.',
  ),
  metadata_key_of_target_dirs: setting(
    z.record(z.union([z.literal('default'), nameSchema('targetDir')]), z.string()),
    {},
    'ODCS_METADATA_KEY_OF_TARGET_DIRS',
    'Names of the keys that sign composes in a target directory: name of the directory to name of the key, or to none.',
  ),
  metadata_key_of_series: setting(
    z.record(nameSchema('series'), z.string()),
    {},
    'ODCS_METADATA_KEY_OF_SERIES',
    'Names of the keys that sign composes of a series, wherever they lie: name of the series to name of the key, or to none.',
  ),
  metadata_signing_timeout: setting(
    z.number().int().positive(),
    60,
    'ODCS_METADATA_SIGNING_TIMEOUT',
    'Seconds one signature may take before its program is ended.',
  ),
} as const;
