import { hash } from 'node:crypto';
import {
  binary,
  buildHeader,
  buildRpm,
  int32,
  plainTags,
  string,
  strings,
} from '../../../rpm/header/build-rpm.ts';
import type { Tags, TagValue } from '../../../rpm/header/build-rpm.ts';

/** What an RPM file is made of. */
export interface MadeUpRpm {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch: number | null;
  readonly arch: string;
  /** The file name of its source RPM; null makes a source RPM. */
  readonly sourceRpm: string | null;
  readonly requires?: readonly string[];
  readonly buildTime: number;
}

const EQUAL = 8;
const PAYLOAD = Buffer.alloc(20);
const LEAD_BYTES = 96;
const INTRO_BYTES = 16;

/** Makes a small RPM file that provides itself: whole and with digests, but nothing to install in it. */
export function makeRpm(rpm: MadeUpRpm): Buffer {
  const evr = `${rpm.epoch === null ? '' : `${rpm.epoch}:`}${rpm.version}-${rpm.release}`;
  const requires = rpm.requires ?? [];
  const main = new Map<number, TagValue>([
    ...plainTags(rpm.name),
    [1001, string(rpm.version)],
    [1002, string(rpm.release)],
    [1006, int32(rpm.buildTime)],
    [1022, string(rpm.arch === 'src' ? 'noarch' : rpm.arch)],
    [1047, strings(rpm.name)],
    [1112, int32(EQUAL)],
    [1113, strings(evr)],
  ]);
  if (rpm.epoch !== null) main.set(1003, int32(rpm.epoch));
  if (requires.length > 0) {
    main.set(1048, int32(...requires.map(() => 0)));
    main.set(1049, strings(...requires));
    main.set(1050, strings(...requires.map(() => '')));
  }
  if (rpm.sourceRpm === null) {
    main.delete(1044);
    main.set(1106, int32(1));
  } else {
    main.set(1044, string(rpm.sourceRpm));
  }
  return buildRpm({ main, payload: PAYLOAD, signature: digestTags(buildHeader(main, 63), PAYLOAD) });
}

function digestTags(header: Buffer, payload: Buffer): Tags {
  const both = Buffer.concat([header, payload]);
  return new Map<number, TagValue>([
    [269, string(hash('sha1', header))],
    [273, string(hash('sha256', header))],
    [1000, int32(both.byteLength)],
    [1004, binary(hash('md5', both, 'buffer'))],
  ]);
}

/** The hash that the hub keeps of an RPM, the same for each signed copy: SIGMD5 of the file. */
export function payloadHashOf(file: Buffer): string {
  return hash('md5', file.subarray(signatureEnd(file)));
}

function signatureEnd(file: Buffer): number {
  const entries = file.readUInt32BE(LEAD_BYTES + 8);
  const end = LEAD_BYTES + INTRO_BYTES + 16 * entries + file.readUInt32BE(LEAD_BYTES + 12);
  return Math.ceil(end / 8) * 8;
}

/** The header part of what follows the signature: its length says where the payload begins. */
function headerBytes(rest: Buffer): number {
  return INTRO_BYTES + 16 * rest.readUInt32BE(8) + rest.readUInt32BE(12);
}

/** A copy of an RPM file with the signature of a key in place of its own: only the key id of it is true. */
export function signRpm(file: Buffer, sigkey: string): Buffer {
  const rest = file.subarray(signatureEnd(file));
  const split = headerBytes(rest);
  const tags = new Map(digestTags(rest.subarray(0, split), rest.subarray(split)));
  tags.set(268, binary(signaturePacket(sigkey)));
  const signature = buildHeader(tags, 62);
  const padding = Buffer.alloc((8 - (signature.byteLength % 8)) % 8);
  return Buffer.concat([file.subarray(0, LEAD_BYTES), signature, padding, rest]);
}

/** An OpenPGP signature packet of version 3 that names the key. Source: RFC 9580, section 5.2.2. */
function signaturePacket(sigkey: string): Buffer {
  const keyId = Buffer.from(sigkey.padStart(16, '0'), 'hex');
  const body = Buffer.concat([
    Buffer.from([3, 5, 0, 0, 0, 0, 0]),
    keyId,
    Buffer.from([1, 8, 0, 0, 0, 8, 255]),
  ]);
  return Buffer.concat([Buffer.from([0x88, body.byteLength]), body]);
}
