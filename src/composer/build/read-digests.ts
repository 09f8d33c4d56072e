import { closeSync, constants, openSync } from 'node:fs';
import { messageOf } from '../../model/errors.ts';
import type { RepodataChecksum } from '../../rpm/repodata/repodata-checksum.ts';
import { fileDigests } from '../file-digests.ts';

/** Files whose digests are asked for. */
export interface DigestRequest {
  readonly id: number;
  readonly files: readonly string[];
  readonly algorithm: RepodataChecksum;
}

/** The digest of each, hex; or what is wrong with the first that cannot be read. */
export type DigestAnswer =
  | { readonly id: number; readonly digests: readonly string[] }
  | { readonly id: number; readonly failed: { message: string; where: string } };

/** Reads files for their digests, with synchronous calls (meant for a thread of its own). */
export function readDigests({ id, files, algorithm }: DigestRequest): DigestAnswer {
  const digests: string[] = [];
  for (const path of files) {
    try {
      const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        digests.push(fileDigests.digestOf(descriptor, algorithm, () => false) ?? '');
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      return { id, failed: { message: messageOf(error), where: path } };
    }
  }
  return { id, digests };
}
