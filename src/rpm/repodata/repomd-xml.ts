import { escapeXml } from './escape-xml.ts';
import type { RepodataChecksum } from './repodata-checksum.ts';

/** One `<data>` element of repomd.xml. */
export interface RepomdRecord {
  /** `primary`, `filelists`, `other`, `group`, `group_gz`, `modules`, `updateinfo`, … */
  readonly type: string;
  /** Path below the repository: `repodata/<checksum>-primary.xml.zst`. */
  readonly href: string;
  /** The kind of its digests. */
  readonly checksumType: RepodataChecksum;
  /** Digest of the file, hex. */
  readonly checksum: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Digest and size of the unpacked content; only of packed files. */
  readonly open?: { readonly checksum: string; readonly size: number };
  /** Unix seconds. */
  readonly timestamp: number;
}

function formatRecord(record: RepomdRecord): string {
  const { open, checksumType } = record;
  return [
    `  <data type="${escapeXml(record.type)}">`,
    `    <checksum type="${checksumType}">${record.checksum}</checksum>`,
    ...(open ? [`    <open-checksum type="${checksumType}">${open.checksum}</open-checksum>`] : []),
    `    <location href="${escapeXml(record.href)}"/>`,
    `    <timestamp>${record.timestamp}</timestamp>`,
    `    <size>${record.size}</size>`,
    ...(open ? [`    <open-size>${open.size}</open-size>`] : []),
    '  </data>',
    '',
  ].join('\n');
}

/** Writes repomd.xml as createrepo_c does: the records in the given order, each with its checksums and sizes. */
export function formatRepomd(revision: string, records: readonly RepomdRecord[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">',
    `  <revision>${escapeXml(revision)}</revision>`,
    `${records.map(formatRecord).join('')}</repomd>`,
    '',
  ].join('\n');
}
