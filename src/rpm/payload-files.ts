import { bytesNeeded } from './header/rpm-header.ts';
import { rpmProblem } from './header/rpm-problem.ts';
import { decompress } from './repodata/decompress.ts';

/** A file in the payload of an RPM. */
export interface PayloadFile {
  /** Absolute. */
  readonly path: string;
  readonly content: Buffer;
}

/** The most bytes a payload may unpack to. */
const PAYLOAD_LIMIT = 512 * 1024 * 1024;
const ENTRY_HEAD = 110;
const REGULAR = 0o100000;
const TYPE_MASK = 0o170000;
const END = 'TRAILER!!!';

/**
 * Reads regular files out of the payload of an RPM, those that are wanted. `rpm` is the whole file. Throws
 * `rpm.payload_broken`, the codes of the headers and those of decompressing. Source: cpio, format "newc".
 */
export async function readPayloadFiles(
  rpm: Buffer,
  where: string,
  isWanted: (path: string) => boolean,
): Promise<PayloadFile[]> {
  const start = bytesNeeded(rpm, where);
  const archive = await decompress(rpm.subarray(start), PAYLOAD_LIMIT, where);
  const files: PayloadFile[] = [];
  for (let at = 0; ;) {
    const entry = readEntry(archive, at, where);
    if (entry.name === END) return files;
    const path = `/${entry.name.replace(/^\.?\/+/, '')}`;
    if (entry.isRegular && isWanted(path)) {
      files.push({ path, content: archive.subarray(entry.from, entry.to) });
    }
    at = align(entry.to);
  }
}

function align(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}

function readEntry(archive: Buffer, at: number, where: string) {
  const head = archive.toString('latin1', at, at + ENTRY_HEAD);
  if (head.length < ENTRY_HEAD || !/^07070[12][0-9a-fA-F]{104}$/.test(head)) {
    throw rpmProblem('rpm.payload_broken', where, at, 'The payload has no entry of a cpio archive');
  }
  const field = (number: number): number => Number.parseInt(head.slice(6 + number * 8, 14 + number * 8), 16);
  const nameLength = field(11);
  const from = align(at + ENTRY_HEAD + nameLength);
  const to = from + field(6);
  if (to > archive.length) {
    throw rpmProblem('rpm.payload_broken', where, at, 'The payload ends before one of its files does');
  }
  const name = archive.toString('utf8', at + ENTRY_HEAD, at + ENTRY_HEAD + nameLength - 1);
  return { name, from, to, isRegular: (field(1) & TYPE_MASK) === REGULAR };
}
