import { readFileSync } from 'node:fs';
import type { Config } from '../../config.ts';
import type { KojiLoginSettings } from '../../image-settings.ts';
import { ReactorError } from '../../model/errors.ts';
import type { KojiHub } from '../../upstream/koji/hub.ts';
import { readTlsIdentity, type KojiProfile } from '../../upstream/koji/koji-profile.ts';
import { KojiSession, type LoginBy } from '../../upstream/koji/koji-session.ts';
import type { KojiFileSource } from '../koji/index-copies.ts';
import type { Koji } from '../koji/koji.ts';

/** The Koji that makes images of composes, and how patient the service is with it. */
export interface ImageKoji {
  /** For what everybody may ask. */
  readonly hub: KojiHub;
  readonly files: KojiFileSource;
  /** Logs in; to be disposed of. */
  readonly beginSession: (signal: AbortSignal) => Promise<KojiSession>;
  /** Of its pages; null where the profile names none. */
  readonly webUrl: string | null;
  /** Seconds that one task may take. */
  readonly taskSeconds: number;
  readonly pollSeconds: number;
}

export type ImageSettings = KojiLoginSettings & Pick<Config, 'image_task_timeout' | 'image_poll_seconds'>;

/** Whether images may be asked for: nobody makes them for who is not logged in. */
export function makesImages({
  koji_login_certificate: certificate,
  koji_login_keytab: keytab,
}: KojiLoginSettings): boolean {
  return certificate !== '' || keytab !== '';
}

/** Returns how many composes a process may have at a time because they wait for images. */
export function imagePlacesOf(settings: KojiLoginSettings & Pick<Config, 'concurrent_images'>): number {
  return makesImages(settings) ? settings.concurrent_images : 0;
}

/** Opens what makes images; null where the settings have no login, or no Koji. */
export function openImageKoji(
  settings: ImageSettings,
  { koji, profile }: { readonly koji: Koji | undefined; readonly profile: KojiProfile | undefined },
): ImageKoji | null {
  if (koji === undefined || profile === undefined || !makesImages(settings)) return null;
  return {
    hub: koji.hub,
    files: koji.source,
    beginSession: (signal) => {
      const { authorities } = readTlsIdentity(profile);
      const trusted = authorities === undefined ? {} : { authorities };
      return KojiSession.begin({ url: profile.server, by: loginBy(settings), ...trusted }, { signal });
    },
    webUrl: profile.webUrl ?? null,
    taskSeconds: settings.image_task_timeout,
    pollSeconds: settings.image_poll_seconds,
  };
}

function loginBy({
  koji_login_certificate: certificate,
  koji_login_keytab: keytab,
  koji_login_principal: principal,
}: KojiLoginSettings): LoginBy {
  if (keytab !== '') return { kind: 'keytab', keytab, principal };
  return { kind: 'certificate', certificate: readCertificate(certificate) };
}

/** Reads it anew for each session: certificates are replaced before they expire. */
function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ReactorError('koji.login_unreadable', 'The certificate for Koji cannot be read.', {
      where: path,
      hint: 'Look at koji_login_certificate: one PEM file with the certificate and its key.',
      fate: 'halt',
      cause,
    });
  }
}

/** Returns the page of a task; null where the profile names no pages. */
export function taskUrl(webUrl: string | null, taskId: number): string | null {
  return webUrl === null ? null : `${webUrl}/taskinfo?taskID=${taskId}`;
}

/** Returns how sentences name a task. */
export function describeTask(webUrl: string | null, taskId: number): string {
  return taskUrl(webUrl, taskId) ?? `Koji task ${taskId}`;
}
