import { ReactorError } from '../../model/errors.ts';
import { readXml, type XmlAttributes } from './xml-elements.ts';
import { textOfXml } from './xml-encoding.ts';

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
  /** `xml:base`: the URL or directory that `href` is below instead of the repository; null where there is none. */
  readonly base: string | null;
  /** Null where repomd has none. */
  readonly checksum: RepomdChecksum | null;
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
  base: string | null;
  checksum: RepomdChecksum | null;
  openChecksum: RepomdChecksum | null;
  size: number | null;
  openSize: number | null;
}

/** Bytes; null for what is no number of bytes, and for 0, which some tools write for "unknown". */
function readSize(text: string): number | null {
  const size = Number(text);
  return /^[0-9]{1,15}$/.test(text) && Number.isSafeInteger(size) && size > 0 ? size : null;
}

function readChecksum(text: string, attributes: XmlAttributes): RepomdChecksum | null {
  const value = text.toLowerCase();
  return value === '' ? null : { type: (attributes['type'] ?? '').toLowerCase(), value };
}

/** Takes what an element directly in `<data>` says. */
function readMember(draft: Draft, name: string, attributes: XmlAttributes, text: string): void {
  if (name === 'location') {
    draft.href = attributes['href'] ?? '';
    draft.base = attributes['xml:base'] ?? null;
  } else if (name === 'checksum') draft.checksum = readChecksum(text, attributes) ?? draft.checksum;
  else if (name === 'open-checksum')
    draft.openChecksum = readChecksum(text, attributes) ?? draft.openChecksum;
  else if (name === 'size') draft.size = readSize(text);
  else if (name === 'open-size') draft.openSize = readSize(text);
}

/**
 * Reads repomd.xml, however it is written; unknown elements are passed over. A record without location is no record;
 * of two of one type the first stands, as for dnf; what else is odd about a record matters when it is used. Throws
 * `repodata.malformed`, `repodata.entity`, `repodata.encoding`.
 */
export function parseRepomd(bytes: Uint8Array, where: string): Repomd {
  const records = new Map<string, RepomdRecord>();
  let revision = '';
  let isRepomd = false;
  let current: { type: string; draft: Draft } | null = null;
  readXml(
    textOfXml(bytes, where),
    { where, documentType: 'refused' },
    {
      open(name, attributes, depth) {
        if (depth === 1) isRepomd = name === 'repomd';
        if (depth !== 2 || name !== 'data') return;
        const draft: Draft = {
          href: null,
          base: null,
          checksum: null,
          openChecksum: null,
          size: null,
          openSize: null,
        };
        current = { type: attributes['type'] ?? '', draft };
      },
      close(name, attributes, text, depth) {
        if (depth === 2 && name === 'revision') revision = text.trim();
        if (depth === 3 && current !== null) readMember(current.draft, name, attributes, text.trim());
        if (depth !== 2 || name !== 'data' || current === null) return;
        const { type, draft } = current;
        const { href } = draft;
        if (href !== null && !records.has(type)) records.set(type, { type, ...draft, href });
        current = null;
      },
    },
  );
  if (!isRepomd) throw new ReactorError('repodata.malformed', 'This is not a repomd.xml.', { where });
  return { revision, records: [...records.values()] };
}
