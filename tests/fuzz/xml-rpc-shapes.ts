import { XmlRpcReader } from '../../src/upstream/koji/xml-rpc-read.ts';
import { XmlRpcSyntaxError } from '../../src/upstream/koji/xml-rpc-text.ts';
import type { Growing } from './growth.ts';

/** What stands in an answer again and again. */
const fillings: readonly string[] = [
  'a',
  ' ',
  '&amp;',
  '\u00e9',
  '<value>',
  '<value/>',
  '<value><int>1</int></value>',
  '<value><string>a</string></value>',
  '<value><struct><member><name>id</name><value><int>1</int></value></member></struct></value>',
  '<member><name>a</name><value/></member>',
  '<array><data>',
  '</data></array>',
  '<?a?>',
  '<',
  '<string',
  '>',
];
/** Where it stands. */
const places: readonly (readonly [string, string])[] = [
  ['<value><string>', '</string></value>'],
  ['<value><base64>', '</base64></value>'],
  ['<value><array><data>', '</data></array></value>'],
  ['<value><struct>', '</struct></value>'],
  ['<value><int>', '</int></value>'],
  ['<', '/>'],
];
const HEAD = '<?xml version="1.0"?><methodResponse><params><param>';
const TAIL = '</param></params></methodResponse>';
/** Bytes of a piece: as the network brings them, and as a hub does that wants to be in the way. */
const pieces: readonly number[] = [65_536, 512];

/** Reads an answer in pieces of some bytes; one that is refused is an answer like any other. */
export function readInPieces(bytes: Uint8Array, piece: number): void {
  const reader = new XmlRpcReader({ depth: 1, keep: new Set(['id']), onRow: () => undefined });
  try {
    for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece));
    reader.end();
  } catch (thrown) {
    if (!(thrown instanceof XmlRpcSyntaxError)) throw thrown;
  }
}

/** What hubs answer, with every filling at every place, cut in every way. */
export function* listXmlRpcShapes(): Generator<Growing> {
  for (const piece of pieces) {
    for (const [before, behind] of places) {
      for (const filling of fillings) {
        yield {
          what: `an answer in pieces of ${piece}: ${before}${filling}… ${behind}`,
          make: (bytes) =>
            Buffer.from(HEAD + before + filling.repeat(Math.ceil(bytes / filling.length)) + behind + TAIL),
          read: (input) => readInPieces(input, piece),
        };
      }
    }
  }
}
