import { readFileSync } from 'node:fs';
import { openComposeFiles } from '../composer/verify/compose-files.ts';
import { verifyCompose, type VerifyReport } from '../composer/verify/verify-compose.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { ActionContext } from './command.ts';

export interface VerifyArguments {
  readonly isJson: boolean;
  /** Path of the public keys that count; undefined takes the one that the compose carries. */
  readonly keyFile: string | undefined;
  readonly isUnsignedFine: boolean;
  readonly isReadingPackages: boolean;
}

/**
 * Verifies a compose in a directory or behind a URL and prints what was found. Returns 0 where all is well, else 1. Throws
 * what verifying throws, and `verify.key_unreadable`.
 */
export async function verifyLocally(
  context: ActionContext,
  location: string,
  { isJson, keyFile, isUnsignedFine, isReadingPackages }: VerifyArguments,
): Promise<number> {
  const { signal } = context;
  const publicKey = keyFile === undefined ? null : readKey(keyFile);
  using files = await openComposeFiles(location, signal);
  const report = await verifyCompose(files, { publicKey, isUnsignedFine, isReadingPackages, signal });
  const isFine = report.problems.length === 0;
  if (isJson) context.stdout(`${JSON.stringify({ ok: isFine, ...toJson(report) })}\n`);
  else context.stdout(formatReport(report, { isOwnKey: publicKey === null, isReadingPackages }));
  return isFine ? 0 : 1;
}

function readKey(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ReactorError('verify.key_unreadable', `The public key cannot be read: ${messageOf(cause)}.`, {
      where: file,
      cause,
    });
  }
}

function toJson(report: VerifyReport): Record<string, unknown> {
  const { location, fingerprint, version, signedBy, checked, problems, hasMore } = report;
  return { location, fingerprint, version, signed_by: signedBy, checked, problems, more: hasMore };
}

function formatReport(
  { fingerprint, version, signedBy, checked, problems, hasMore }: VerifyReport,
  { isOwnKey, isReadingPackages }: { readonly isOwnKey: boolean; readonly isReadingPackages: boolean },
): string {
  const signature =
    signedBy === null
      ? 'not signed'
      : `signed by ${signedBy}${isOwnKey ? ', the key that the compose carries itself' : ''}`;
  const packages = `${checked.packages} packages${isReadingPackages ? '' : ' (not read)'}`;
  return [
    ...problems.map(({ path, kind, detail }) => `${kind}: ${path}: ${detail}\n`),
    ...(hasMore ? ['and more\n'] : []),
    `fingerprint ${fingerprint}, made by version ${version}, ${signature}\n`,
    `${checked.repositories} repositories, ${packages}, ${checked.bytes} bytes read: `,
    problems.length === 0 ? 'all is well\n' : 'NOT as it should be\n',
  ].join('');
}
