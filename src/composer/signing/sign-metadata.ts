import { readFile } from 'node:fs/promises';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { judgeTrouble, readKeyState, type SignatureJudgement } from './gpg-status.ts';
import type { MetadataKey } from './metadata-key.ts';
import { runSigner, type SignerEnd } from './run-signer.ts';
import { programMissing, verifySignature } from './verify-signature.ts';

/** Where a compose carries the public key of what signed it, below its directory. */
export const METADATA_KEY_FILE = 'compose/metadata-key.asc';

/** Makes signatures with one key. */
export interface MetadataSigner {
  readonly key: MetadataKey;
  /** The armored public key. */
  readonly publicKey: Uint8Array;
}

/** Public keys have some kilobytes. */
const KEY_LIMIT = 1_048_576;

/** Prepares signing with a key. Throws `signing.public_key_unreadable`. */
export async function openMetadataSigner(key: MetadataKey): Promise<MetadataSigner> {
  const refuse = (why: string, cause?: unknown): ReactorError =>
    new ReactorError(
      'signing.public_key_unreadable',
      `The public key of the metadata key "${key.name}" ${why}`,
      {
        hint: 'Write it anew: gpg --armor --export FINGERPRINT > FILE, and let the service read it.',
        cause,
      },
    );
  let publicKey: Buffer;
  try {
    publicKey = await readFile(key.publicKeyFile);
  } catch (error) {
    throw refuse(`cannot be read: ${messageOf(error)}`, error);
  }
  const isArmored =
    publicKey.length <= KEY_LIMIT && publicKey.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----');
  if (!isArmored) throw refuse('is no armored public key.');
  return { key, publicKey };
}

/**
 * Returns an armored detached signature that gpgv takes for one of the key. Throws `signing.key_expired`,
 * `signing.key_revoked`, `signing.key_unusable`, `signing.passphrase_wanted`, `signing.timed_out`, `signing.failed`,
 * `signing.signature_wrong`, `signing.program_missing`.
 */
export async function signMetadata(
  { key, publicKey }: MetadataSigner,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const end = await runSigner({
    words: key.signer.kind === 'gpg' ? gpgWords(key) : key.signer.words,
    input: content,
    timeoutSeconds: key.timeoutSeconds,
    signal,
    environment: environmentOf(key),
  });
  if (end.kind !== 'exited' || end.code !== 0) throw await failureOf(key, end, signal);
  const signature = end.output;
  if (!signature.includes('-----BEGIN PGP SIGNATURE-----')) {
    throw wrong(key, 'answered something that is no armored signature.');
  }
  const judged = await verifySignature({ content, signature, publicKey, signal });
  if (judged.kind !== 'good') throw refusalOf(key, judged);
  if (!judged.fingerprints.includes(key.fingerprint)) {
    throw wrong(key, `was made by the key ${judged.fingerprints[0]}.`);
  }
  return signature;
}

function gpgWords({ fingerprint, signer }: MetadataKey): string[] {
  return [
    'gpg',
    ...gpgOptions,
    ...(signer.kind === 'gpg' && signer.home !== null ? ['--homedir', signer.home] : []),
    // The agent may know a passphrase; who would be asked for one is not there.
    '--pinentry-mode=error',
    '--status-fd=2',
    '--digest-algo=SHA256',
    `--local-user=${fingerprint}!`,
    '--armor',
    '--detach-sign',
    '--output=-',
  ];
}

const gpgOptions = ['--batch', '--no-tty', '--no-auto-check-trustdb'];

function environmentOf({ fingerprint }: MetadataKey): Record<string, string> {
  return { METADATA_KEY_FINGERPRINT: fingerprint };
}

async function failureOf(key: MetadataKey, end: SignerEnd, signal: AbortSignal): Promise<ReactorError> {
  switch (end.kind) {
    case 'missing':
      return programMissing(key.signer.kind === 'gpg' ? 'gpg' : 'of the metadata key');
    case 'timed_out':
      return new ReactorError(
        'signing.timed_out',
        `The metadata key "${key.name}" made no signature within ${key.timeoutSeconds} seconds.`,
        {
          hint: 'Look whether its agent, token or signing server hangs; metadata_signing_timeout is the time it has.',
          fate: 'retry',
        },
      );
    case 'exited':
      return key.signer.kind === 'gpg' ? gpgFailure(key, end, signal) : commandFailure(key, end);
    default:
      return end satisfies never;
  }
}

type Exited = Extract<SignerEnd, { kind: 'exited' }>;

async function gpgFailure(key: MetadataKey, end: Exited, signal: AbortSignal): Promise<ReactorError> {
  const trouble = judgeTrouble(end.complaint);
  switch (trouble) {
    case 'passphrase_wanted':
      return new ReactorError(
        'signing.passphrase_wanted',
        `The agent asks for the passphrase of the metadata key "${key.name}", and nobody is there to give it.`,
        {
          hint: 'Unlock it: gpg-preset-passphrase for its keygrip, as the user and with the gpg_home of the service.',
          fate: 'retry',
        },
      );
    case 'key_unusable': {
      const state = await askKeyState(key, signal);
      if (state === 'expired' || state === 'revoked') return refusalOf(key, { kind: `key_${state}` });
      return new ReactorError(
        'signing.key_unusable',
        `gpg has no secret key ${key.fingerprint}, or may not sign with it.`,
        { hint: `Look with gpg --list-secret-keys, with the gpg_home of the metadata key "${key.name}".` },
      );
    }
    case 'other':
      return commandFailure(key, end);
    default:
      return trouble satisfies never;
  }
}

async function askKeyState(key: MetadataKey, signal: AbortSignal): Promise<ReturnType<typeof readKeyState>> {
  const home = key.signer.kind === 'gpg' && key.signer.home !== null ? ['--homedir', key.signer.home] : [];
  const listing = await runSigner({
    words: ['gpg', ...gpgOptions, ...home, '--with-colons', '--list-keys', '--', key.fingerprint],
    input: new Uint8Array(),
    timeoutSeconds: key.timeoutSeconds,
    signal,
  });
  return listing.kind === 'exited'
    ? readKeyState(listing.output.toString('utf8'), key.fingerprint)
    : 'unknown';
}

function commandFailure(key: MetadataKey, { code, complaint }: Exited): ReactorError {
  const last = complaint
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('[GNUPG:]'))
    .at(-1);
  const said = last === undefined ? '' : `: ${last.slice(0, 200)}`;
  return new ReactorError(
    'signing.failed',
    `The program of the metadata key "${key.name}" ended with ${code ?? 'a signal'}${said}`,
    { hint: 'Run it by hand as the user of the service, with a file on its standard input.', fate: 'retry' },
  );
}

function refusalOf(key: MetadataKey, judged: Exclude<SignatureJudgement, { kind: 'good' }>): ReactorError {
  switch (judged.kind) {
    case 'key_expired':
      return new ReactorError('signing.key_expired', `The metadata key "${key.name}" has expired.`, {
        hint: 'Extend it and write its public_key file anew, or let another key sign.',
      });
    case 'key_revoked':
      return new ReactorError('signing.key_revoked', `The metadata key "${key.name}" was revoked.`, {
        hint: 'Let another key sign.',
      });
    case 'key_unknown':
      return wrong(key, 'was made by a key that is not in its public_key file.');
    case 'bad':
      return wrong(key, 'does not fit what was to be signed.');
    case 'none':
      return wrong(key, 'cannot be read.');
    default:
      return judged.kind satisfies never;
  }
}

function wrong(key: MetadataKey, why: string): ReactorError {
  return new ReactorError(
    'signing.signature_wrong',
    `The signature of the metadata key "${key.name}" ${why}`,
    {
      hint: 'fingerprint, public_key and the program of a metadata key have to be of one key; the program signs its standard input, detached and armored.',
    },
  );
}
