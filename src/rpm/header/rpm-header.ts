import { HeaderBlob, type HeaderLimits, headerLength } from './header-blob.ts';
import { rpmProblem } from './rpm-problem.ts';
import { Tag } from './tags.ts';

const LEAD = 96;
const INTRO = 16;
const LEAD_TYPE = 6;
const LEAD_SOURCE = 1;
const LEAD_MAGIC = 0xedabeedb;

/** The same as rpm's own limits for the signature. */
const signatureLimits: HeaderLimits = { entries: 1024, data: 64 * 1024 * 1024 };
/** Half of rpm's own limit: the largest headers of Fedora are below 32 MiB. */
const mainLimits: HeaderLimits = { entries: 0xffff, data: 128 * 1024 * 1024 };

/** Everything an RPM says about itself before its payload. */
export interface RpmHeader {
  /** The path or URL it was read from; stands in every error. */
  readonly where: string;
  /** Version of the file format: 3, 4 or 6. */
  readonly format: 3 | 4 | 6;
  readonly isSource: boolean;
  readonly signature: HeaderBlob;
  readonly main: HeaderBlob;
}

/**
 * How many bytes from the begin of the file are needed to read the headers, as far as `bytes` (the first of
 * them) can tell: more than `bytes` holds means "read that many and ask again". Throws `rpm.not_an_rpm`,
 * `rpm.header_magic_wrong`, `rpm.header_too_large`.
 */
export function bytesNeeded(bytes: Buffer, where: string): number {
  if (bytes.byteLength >= 4 && bytes.readUInt32BE(0) !== LEAD_MAGIC) {
    throw rpmProblem('rpm.not_an_rpm', where, 0, 'The file does not begin with the magic number of an RPM');
  }
  if (bytes.byteLength < LEAD + INTRO) return LEAD + INTRO;
  const main = startOfMain(bytes, where);
  if (bytes.byteLength < main + INTRO) return main + INTRO;
  return main + headerLength(bytes, main, mainLimits, where);
}

function startOfMain(bytes: Buffer, where: string): number {
  const end = LEAD + headerLength(bytes, LEAD, signatureLimits, where);
  return Math.ceil(end / 8) * 8;
}

/**
 * Reads the headers from the first bytes of an RPM, at least as many as `bytesNeeded` says. `bytes` are not
 * copied: they must not change while the header is used. Throws the typed errors `rpm.*`.
 * Source: the rpm manual, "RPM package format" (v3, v4, v6).
 */
export function parseRpmHeader(bytes: Buffer, where: string): RpmHeader {
  const needed = bytesNeeded(bytes, where);
  if (needed > bytes.byteLength) {
    throw rpmProblem(
      'rpm.truncated',
      where,
      bytes.byteLength,
      `The file ends before its headers do, at ${needed}`,
    );
  }
  const signature = new HeaderBlob(bytes, LEAD, signatureLimits, where);
  const main = new HeaderBlob(bytes, startOfMain(bytes, where), mainLimits, where);
  return { where, format: formatOf(main), isSource: isSourcePackage(bytes, main), signature, main };
}

/** Sources say so in a tag since rpm 4.6, before that in the lead. */
function isSourcePackage(bytes: Buffer, main: HeaderBlob): boolean {
  if (main.has(Tag.sourcePackage)) return main.integer(Tag.sourcePackage) !== 0;
  return !main.has(Tag.sourceRpm) && bytes.readUInt16BE(LEAD_TYPE) === LEAD_SOURCE;
}

function formatOf(main: HeaderBlob): RpmHeader['format'] {
  if (main.has(Tag.rpmFormat) && main.integer(Tag.rpmFormat) === 6) return 6;
  return main.hasRegion ? 4 : 3;
}
