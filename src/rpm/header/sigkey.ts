import type { RpmHeader } from './rpm-header.ts';
import { SignatureTag } from './tags.ts';

const SIGNATURE_PACKET = 2;
const ISSUER = 16;
const ISSUER_FINGERPRINT = 33;
const V6 = 6;

/**
 * The last eight hex digits of the id of the key an RPM is signed with, or null where it is not signed. A
 * signature that cannot be read counts as none. The header's signature is asked before the old ones over header
 * and payload. Source: koji contract on `sigkey`; OpenPGP (RFC 9580, sections 4 and 5.2).
 */
export function sigkeyOf({ signature }: RpmHeader): string | null {
  for (const tag of [SignatureTag.rsa, SignatureTag.dsa, SignatureTag.pgp, SignatureTag.gpg]) {
    const packet = signature.binary(tag);
    const keyId = packet && keyIdOf(Buffer.from(packet));
    if (keyId) return keyId.slice(-8);
  }
  for (const text of signature.rawStrings(SignatureTag.openpgp)) {
    const keyId = keyIdOf(Buffer.from(text, 'base64'));
    if (keyId) return keyId.slice(-8);
  }
  return null;
}

/** The key id (16 hex digits) that an OpenPGP signature packet names, or undefined. */
export function keyIdOf(bytes: Buffer): string | undefined {
  const body = bodyOfSignature(bytes);
  const version = body?.[0];
  if (!body || version === undefined) return undefined;
  if (version <= 3) return body.byteLength >= 15 ? body.subarray(7, 15).toString('hex') : undefined;
  const lengthBytes = version >= V6 ? 4 : 2;
  let at = 4;
  for (let area = 0; area < 2 && at + lengthBytes <= body.byteLength; area += 1) {
    const length = body.readUIntBE(at, lengthBytes);
    at += lengthBytes;
    const found = issuerIn(body.subarray(at, at + length));
    if (found) return found;
    at += length;
  }
  return undefined;
}

/** Takes the header off a packet of the old or the new form. */
function bodyOfSignature(bytes: Buffer): Buffer | undefined {
  const head = bytes[0];
  if (head === undefined || (head & 0x80) === 0) return undefined;
  const isNew = (head & 0x40) !== 0;
  const tag = isNew ? head & 0x3f : (head >> 2) & 0x0f;
  if (tag !== SIGNATURE_PACKET) return undefined;
  if (!isNew) return bytes.subarray(1 + ([1, 2, 4, 0][head & 3] ?? 0));
  const first = bytes[1] ?? 0;
  return bytes.subarray(first < 192 ? 2 : first < 224 ? 3 : first === 255 ? 6 : 2);
}

function issuerIn(area: Buffer): string | undefined {
  for (let at = 0; at < area.byteLength;) {
    const first = area[at] ?? 0;
    let length = first;
    let head = 1;
    if (first >= 192 && first < 255) {
      length = ((first - 192) << 8) + (area[at + 1] ?? 0) + 192;
      head = 2;
    } else if (first === 255) {
      if (at + 5 > area.byteLength) return undefined;
      length = area.readUInt32BE(at + 1);
      head = 5;
    }
    const kind = (area[at + head] ?? 0) & 0x7f;
    const value = area.subarray(at + head + 1, at + head + length);
    if (kind === ISSUER && value.byteLength === 8) return value.toString('hex');
    if (kind === ISSUER_FINGERPRINT && value.byteLength > 8) {
      const id = value[0] === V6 ? value.subarray(1, 9) : value.subarray(-8);
      return id.toString('hex');
    }
    at += head + Math.max(1, length);
  }
  return undefined;
}
