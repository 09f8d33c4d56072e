import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { judgeSignature, type SignatureJudgement } from './gpg-status.ts';
import { runSigner } from './run-signer.ts';

export interface SignatureCheck {
  /** What was signed. */
  readonly content: Uint8Array;
  /** An armored or binary detached signature. */
  readonly signature: Uint8Array;
  /** The public keys that count, armored or binary. */
  readonly publicKey: Uint8Array;
  readonly signal: AbortSignal;
}

const TIMEOUT_SECONDS = 30;

/**
 * Says whether a signature is one of given public keys, with gpgv, which knows no other keys and no agent. Throws
 * `signing.program_missing` and `signing.timed_out`.
 */
export async function verifySignature(check: SignatureCheck): Promise<SignatureJudgement> {
  const folder = await mkdtemp(join(tmpdir(), `odcs-gpgv-${randomUUID().slice(0, 8)}-`));
  try {
    const keyring = join(folder, 'keys.gpg');
    const signature = join(folder, 'signature.asc');
    await writeFile(keyring, removeArmor(check.publicKey));
    await writeFile(signature, check.signature);
    const end = await runSigner({
      words: ['gpgv', '--homedir', folder, '--status-fd', '1', '--keyring', keyring, '--', signature, '-'],
      input: check.content,
      timeoutSeconds: TIMEOUT_SECONDS,
      signal: check.signal,
    });
    if (end.kind === 'missing') throw programMissing('gpgv');
    if (end.kind === 'timed_out') {
      throw new ReactorError('signing.timed_out', 'The check of a signature took too long.', {
        hint: `gpgv was ended after ${TIMEOUT_SECONDS} seconds.`,
        fate: 'retry',
      });
    }
    return judgeSignature(end.output.toString('utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function programMissing(program: string): ReactorError {
  return new ReactorError(
    'signing.program_missing',
    `The program ${program} is not installed on this machine.`,
    {
      hint: 'Signatures are made by gpg or the command of the key, and checked by gpgv of GnuPG.',
      fate: 'halt',
    },
  );
}

const armor =
  /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[A-Za-z]+: .*\r?\n)*\s*\r?\n([A-Za-z0-9+/=\s]+?)\r?\n(?:=[A-Za-z0-9+/]{4}\s*)?-----END/g;

/** Returns the bytes of every armored block of public keys, or what is not armored as it is: gpgv reads no armor. */
function removeArmor(key: Uint8Array): Uint8Array {
  const text = Buffer.from(key).toString('latin1');
  const blocks = [...text.matchAll(armor)].map(([, body = '']) => Buffer.from(body, 'base64'));
  return blocks.length === 0 ? key : Buffer.concat(blocks);
}
