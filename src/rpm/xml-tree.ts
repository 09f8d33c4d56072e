import { XmlElements, type XmlAttributes } from './repodata/xml-elements.ts';
import { textOfXml } from './repodata/xml-encoding.ts';
import { malformed } from './repodata/xml-scan.ts';

/** An element of a small document that is read as a whole. */
export interface XmlNode {
  readonly name: string;
  /** With their namespace prefix, in the order of the document. */
  readonly attributes: XmlAttributes;
  /** What stands in the element itself, blanks kept; empty where there are only blanks. */
  readonly text: string;
  readonly children: readonly XmlNode[];
  /** The line its opening tag ends in, from 1. */
  readonly line: number;
}

/** The most bytes of such a document. */
const SIZE_LIMIT = 32 * 1024 * 1024;
/** Limits of the reader are looked at after so many characters. */
const PIECE = 16 * 1024;

interface OpenNode extends XmlNode {
  readonly children: XmlNode[];
}

/**
 * Reads a whole document and returns its root. A document type that declares nothing is passed over. Throws
 * `repodata.malformed`, `repodata.entity`, `repodata.encoding`.
 */
export function readXmlTree(bytes: Uint8Array, where: string): XmlNode {
  if (bytes.byteLength > SIZE_LIMIT) throw malformed(where, SIZE_LIMIT, 'The file is larger than 32 MiB.');
  const open: OpenNode[] = [];
  let root: XmlNode | null = null;
  let line = 1;
  const elements = new XmlElements(
    { where, part: 'whole', documentType: 'passed over' },
    {
      open(name, attributes) {
        open.push({ name, attributes, text: '', children: [], line });
      },
      close(_name, _attributes, text) {
        const node = open.pop();
        if (node === undefined) return;
        const closed = text === '' ? node : { ...node, text };
        const parent = open.at(-1);
        if (parent === undefined) root = closed;
        else parent.children.push(closed);
      },
    },
  );
  let offset = 0;
  const text = textOfXml(bytes, where);
  for (let at = 0; at < text.length;) {
    const lineBreak = text.indexOf('\n', at);
    const lineEnd = lineBreak < 0 ? text.length : lineBreak + 1;
    const end = Math.min(lineEnd, at + PIECE);
    const piece = text.slice(at, end);
    elements.write(piece, offset);
    offset += Buffer.byteLength(piece);
    if (end === lineEnd) line += 1;
    at = end;
  }
  elements.close();
  if (root === null) throw new Error(`${where} was read without a root`);
  return root;
}

/** The first child of a name. */
export function childOf(node: XmlNode, name: string): XmlNode | undefined {
  return node.children.find((child) => child.name === name);
}

/** Every child of a name. */
export function childrenOf(node: XmlNode, name: string): readonly XmlNode[] {
  return node.children.filter((child) => child.name === name);
}

/** An attribute of an element, null where it has none. */
export function attributeOf(node: XmlNode, name: string): string | null {
  return Object.hasOwn(node.attributes, name) ? (node.attributes[name] ?? null) : null;
}
