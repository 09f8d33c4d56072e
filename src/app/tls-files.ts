import { readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { messageOf, ReactorError } from '../model/errors.ts';

/** The settings that make the HTTP server one of HTTPS. */
export type TlsSettings = Pick<Config, 'tls_certificate' | 'tls_key' | 'tls_client_ca' | 'tls_client_crl'>;

/** What a TLS server is made of, as Node takes it. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly crl?: Buffer;
}

const LOOK_MS = 60_000;

/** Options whose names are those of Node, by setting. */
const optionOf = {
  tls_certificate: 'cert',
  tls_key: 'key',
  tls_client_ca: 'ca',
  tls_client_crl: 'crl',
} as const;

/** Reads the files of the settings; null where there is no certificate. Throws `config.invalid_value`. */
export function readTlsFiles(settings: TlsSettings): TlsFiles | null {
  if (settings.tls_certificate === '') return null;
  const read = (name: keyof TlsSettings): Buffer => {
    try {
      const bytes = readFileSync(settings[name]);
      // A certificate and its key are checked together, when both are there.
      if (name !== 'tls_certificate' && name !== 'tls_key') createSecureContext({ [optionOf[name]]: bytes });
      return bytes;
    } catch (cause) {
      throw unusable(name, settings[name], cause);
    }
  };
  const { tls_client_ca: authority, tls_client_crl: revoked } = settings;
  const files = {
    cert: read('tls_certificate'),
    key: read('tls_key'),
    ...(authority === '' ? {} : { ca: read('tls_client_ca') }),
    ...(revoked === '' ? {} : { crl: read('tls_client_crl') }),
  };
  try {
    createSecureContext(files);
  } catch (cause) {
    throw unusable('tls_certificate', settings.tls_certificate, cause);
  }
  return files;
}

function unusable(name: string, where: string, cause: unknown): ReactorError {
  return new ReactorError(
    'config.invalid_value',
    `The setting "${name}" is not valid: ${messageOf(cause)}.`,
    {
      where,
      hint: 'It is the path of a PEM file that the service may read.',
      fate: 'halt',
      cause,
    },
  );
}

/** Files of TLS that are looked at. */
export interface TlsWatch extends Disposable {
  /** Takes into use what has changed; what cannot be used is told to the log, and the old goes on. */
  look(): void;
}

/** Looks at the files once a minute. */
export function watchTlsFiles(server: Server, settings: TlsSettings, log: Log): TlsWatch {
  let known = stampsOf(settings);
  const look = (): void => {
    const stamps = stampsOf(settings);
    if (stamps === known) return;
    known = stamps;
    try {
      const files = readTlsFiles(settings);
      if (files === null) return;
      server.setSecureContext(files);
      log.info({ certificate: settings.tls_certificate }, 'the files of TLS have changed and are in use');
    } catch (error) {
      log.error({ err: error }, 'the files of TLS have changed and cannot be used');
    }
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return { look, [Symbol.dispose]: () => clearInterval(timer) };
}

function stampsOf(settings: TlsSettings): string {
  const { tls_certificate, tls_key, tls_client_ca, tls_client_crl } = settings;
  return [tls_certificate, tls_key, tls_client_ca, tls_client_crl]
    .filter((file) => file !== '')
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
      return stat === undefined ? 'missing' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
    })
    .join('\n');
}
