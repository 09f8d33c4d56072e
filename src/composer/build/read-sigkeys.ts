import { messageOf, ReactorError } from '../../model/errors.ts';
import { readRpmFile } from '../../rpm/header/read-rpm-header.ts';
import { sigkeyOf } from '../../rpm/header/sigkey.ts';

/** RPMs whose sigkeys are asked for, by their paths. */
export interface SigkeyRequest {
  readonly id: number;
  readonly rpms: readonly string[];
}

/** The sigkey of each, null for an unsigned one; or what is wrong with the first that cannot be read. */
export type SigkeyAnswer =
  | { readonly id: number; readonly sigkeys: readonly (string | null)[] }
  | { readonly id: number; readonly problem: { code: string; message: string; where: string | undefined } };

/** Memory for the beginning of a file, used again for each: fresh memory costs more than the reading. */
const SCRATCH = 64 * 1024;

/** Reads the sigkeys of RPMs, with synchronous calls (meant for a thread of its own). */
export function readSigkeys({ id, rpms }: SigkeyRequest): SigkeyAnswer {
  const sigkeys: (string | null)[] = [];
  const scratch = Buffer.allocUnsafeSlow(SCRATCH);
  for (const path of rpms) {
    try {
      sigkeys.push(sigkeyOf(readRpmFile(path, { pkgid: 'unused', scratch }).header));
    } catch (error) {
      const { code, where } = error instanceof ReactorError ? error : { code: 'rpm.not_an_rpm', where: path };
      return { id, problem: { code, message: messageOf(error), where } };
    }
  }
  return { id, sigkeys };
}
