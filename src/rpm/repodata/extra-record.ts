import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Compression, compress, suffixOf } from './compression.ts';
import type { RepodataChecksum } from './repodata-checksum.ts';
import type { StagedFile } from './publish-repomd.ts';
import { writeDurably } from './write-durably.ts';

/** A file beside the packages' own metadata: comps, modules, updateinfo. */
export interface ExtraRecord {
  /** `group`, `group_gz`, `modules`, `updateinfo`, `productid`. */
  readonly type: string;
  /** Name without checksum and compression: `comps.xml`, `modules.yaml`. */
  readonly name: string;
  readonly content: Uint8Array;
  /** `none` for a plain file, as `group` has to be. */
  readonly compression: Compression | 'none';
}

/** Writes one extra record into `repodata`, under a temporary name. */
export async function writeExtraRecord(
  repodata: string,
  record: ExtraRecord,
  { timestamp, checksum: checksumType }: { readonly timestamp: number; readonly checksum: RepodataChecksum },
  mark: string,
): Promise<StagedFile> {
  const { type, name, content, compression } = record;
  const isPlain = compression === 'none';
  const bytes = isPlain ? content : await compress(content, compression);
  const checksum = createHash(checksumType).update(bytes).digest('hex');
  const file = `${checksum}-${name}${isPlain ? '' : suffixOf(compression)}`;
  const temporary = join(repodata, `${mark}-${type}`);
  await writeDurably(temporary, bytes);
  const plain = { type, href: `repodata/${file}`, checksumType, checksum, size: bytes.byteLength, timestamp };
  if (isPlain) return { temporary, record: plain };
  const open = { checksum: createHash(checksumType).update(content).digest('hex'), size: content.byteLength };
  return { temporary, record: { ...plain, open } };
}
