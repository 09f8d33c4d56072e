import { isUtf8 } from 'node:buffer';
import { ReactorError } from '../../model/errors.ts';

const DECLARATION = /^<\?xml[^>]{0,200}?encoding\s*=\s*(?:"([A-Za-z0-9._-]{1,40})"|'([A-Za-z0-9._-]{1,40})')/;
/** More bytes than a declaration has. */
const HEAD = 256;

/** The error about bytes that are not in the encoding they say they are in. */
function wrongEncoding(where: string, encoding: string): ReactorError {
  return new ReactorError('repodata.encoding', `The file is not ${encoding.toUpperCase()}.`, { where });
}

/**
 * The encoding of an XML file by its first bytes, lower case: what a byte order mark says, else what its declaration
 * says, else UTF-8. Source: XML 1.0, appendix F.
 */
export function encodingOfXml(bytes: Uint8Array): string {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) return 'utf-16be';
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD)).toString(
    'latin1',
  );
  const [, quoted, apostrophes] = DECLARATION.exec(head.replace(/^\u00ef\u00bb\u00bf/, '')) ?? [];
  return (quoted ?? apostrophes ?? 'utf-8').toLowerCase();
}

/** A decoder that refuses bytes which are none of the encoding. Throws `repodata.encoding` for an unknown one. */
export function decoderOfXml(encoding: string, where: string): (bytes?: Uint8Array) => string {
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw new ReactorError('repodata.encoding', `The encoding "${encoding}" is unknown.`, { where, cause });
  }
  return (bytes) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw wrongEncoding(where, encoding);
    }
  };
}

/** The text of an XML file, whatever its encoding. Throws `repodata.encoding`. */
export function textOfXml(bytes: Uint8Array, where: string): string {
  const encoding = encodingOfXml(bytes);
  if (encoding === 'utf-8' && !isUtf8(bytes)) throw wrongEncoding(where, encoding);
  const decode = decoderOfXml(encoding, where);
  return decode(bytes) + decode();
}
