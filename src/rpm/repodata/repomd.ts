import { isUtf8 } from 'node:buffer';
import { ReactorError } from '../../model/errors.ts';
import { attribute, nextTag, textAfter, textOfByteString } from './xml-scan.ts';

export interface RepomdChecksum {
  /** `sha256`, `sha512`, `sha384`, `sha224`, `sha1` (also written `sha`) or `md5`. */
  readonly type: string;
  /** Lower-case hex. */
  readonly value: string;
}

/** One `<data>` of repomd.xml: a metadata file of the repository. */
export interface RepomdRecord {
  readonly type: string;
  readonly href: string;
  readonly checksum: RepomdChecksum;
  /** Checksum of the content after decompression, where repomd has one. */
  readonly openChecksum: RepomdChecksum | null;
  /** Bytes of the file and of its content after decompression; null where repomd does not say. */
  readonly size: number | null;
  readonly openSize: number | null;
}

export interface Repomd {
  readonly revision: string;
  readonly records: readonly RepomdRecord[];
}

interface Draft {
  href: string | null;
  checksum: RepomdChecksum | null;
  openChecksum: RepomdChecksum | null;
  size: number | null;
  openSize: number | null;
}

function readSize(text: string, name: string, where: string): number {
  const size = Number(text);
  if (!/^[0-9]{1,15}$/.test(text) || !Number.isSafeInteger(size)) {
    throw new ReactorError('repodata.malformed', `<${name}> of repomd.xml is not a number.`, { where });
  }
  return size;
}

function finish(type: string, draft: Draft, where: string): RepomdRecord {
  if (draft.href === null) {
    throw new ReactorError('repodata.malformed', `The ${type} of repomd.xml has no location.`, { where });
  }
  if (draft.checksum === null) {
    throw new ReactorError('repodata.checksum_missing', `The ${type} of repomd.xml has no checksum.`, {
      where,
      hint: 'Make the repository again with createrepo_c.',
    });
  }
  return { type, ...draft, href: draft.href, checksum: draft.checksum };
}

/**
 * Reads repomd.xml. Every record must have a location and a checksum; unknown elements are passed over. Throws
 * `repodata.malformed`, `repodata.entity`, `repodata.encoding`, `repodata.checksum_missing`,
 * `repodata.duplicate_record`.
 */
export function parseRepomd(bytes: Uint8Array, where: string): Repomd {
  if (!isUtf8(bytes)) throw new ReactorError('repodata.encoding', 'repomd.xml is not UTF-8.', { where });
  const xml = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const records = new Map<string, RepomdRecord>();
  let revision = '';
  let isRepomd = false;
  let isClosed = false;
  let current: { type: string; draft: Draft } | null = null;
  for (let tag = nextTag(xml, 0, where); tag !== null; tag = nextTag(xml, tag.end, where)) {
    if (tag.isClosing) {
      if (tag.name === 'repomd') isClosed = true;
      if (tag.name !== 'data' || current === null) continue;
      if (records.has(current.type)) {
        throw new ReactorError('repodata.duplicate_record', `repomd.xml has two ${current.type} records.`, {
          where,
        });
      }
      records.set(current.type, finish(current.type, current.draft, where));
      current = null;
      continue;
    }
    if (tag.name === 'repomd') isRepomd = true;
    else if (tag.name === 'revision') revision = textOfByteString(textAfter(xml, tag, where));
    else if (tag.name === 'data') {
      const type = attribute(xml, tag, 'type', where) ?? '';
      current = {
        type,
        draft: { href: null, checksum: null, openChecksum: null, size: null, openSize: null },
      };
    } else if (current !== null) {
      const { draft } = current;
      if (tag.name === 'location') draft.href = textOfByteString(attribute(xml, tag, 'href', where) ?? '');
      else if (tag.name === 'checksum' || tag.name === 'open-checksum') {
        const value = textAfter(xml, tag, where).toLowerCase();
        const type = (attribute(xml, tag, 'type', where) ?? '').toLowerCase();
        if (value === '') continue;
        if (tag.name === 'checksum') draft.checksum = { type, value };
        else draft.openChecksum = { type, value };
      } else if (tag.name === 'size') draft.size = readSize(textAfter(xml, tag, where), 'size', where);
      else if (tag.name === 'open-size') {
        draft.openSize = readSize(textAfter(xml, tag, where), 'open-size', where);
      }
    }
  }
  if (!isRepomd || !isClosed) {
    throw new ReactorError('repodata.malformed', 'This is not a whole repomd.xml.', { where });
  }
  return { revision, records: [...records.values()] };
}
