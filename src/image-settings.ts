import { z } from 'zod';
import { setting } from './setting.ts';
import type { Config } from './settings.ts';

/** A job may last a day. */
const LONGEST_SECONDS = 82_800;

/** The settings of images that Koji makes of main composes. */
export const imageSettings = {
  koji_login_certificate: setting(
    z.string().regex(/^(?:$|\/)/, 'is no absolute path'),
    '',
    'ODCS_KOJI_LOGIN_CERTIFICATE',
    'PEM file with the certificate and key that the service logs into Koji with, for images of main composes only; empty without.',
  ),
  koji_login_keytab: setting(
    z.string().regex(/^(?:$|\/)/, 'is no absolute path'),
    '',
    'ODCS_KOJI_LOGIN_KEYTAB',
    'Keytab that the service logs into Koji with, instead of a certificate, for images of main composes only; empty without.',
  ),
  koji_login_principal: setting(
    z.string().regex(/^(?:$|[^\s@-][^\s@]*(?:@[^\s@]+)?$)/, 'is no principal'),
    '',
    'ODCS_KOJI_LOGIN_PRINCIPAL',
    'Principal of koji_login_keytab, like odcs/host.example.org@EXAMPLE.ORG.',
  ),
  image_task_timeout: setting(
    z.number().int().positive().max(LONGEST_SECONDS),
    21_600,
    'ODCS_IMAGE_TASK_TIMEOUT',
    'Seconds that Koji may take for one image of a main compose; 23 hours at most.',
  ),
  image_poll_seconds: setting(
    z.number().positive().max(3_600),
    30,
    'ODCS_IMAGE_POLL_SECONDS',
    'Seconds between two looks at the tasks of Koji that make images.',
  ),
  concurrent_images: setting(
    z.number().int().positive(),
    4,
    'ODCS_CONCURRENT_IMAGES',
    'Composes of one process that may wait for images at the same time, beside concurrent_composes.',
  ),
} as const;

/** Those that say how the service logs into Koji. */
export type KojiLoginSettings = Pick<
  Config,
  'koji_login_certificate' | 'koji_login_keytab' | 'koji_login_principal'
>;
